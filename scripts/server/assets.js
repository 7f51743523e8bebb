// Static assets for workerd, which has a disk but no types of files. The Worker asks for a path, and gets the file or 404.

const TYPES = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webp: "image/webp",
  woff2: "font/woff2",
};

export default {
  async fetch(request, { FILES }) {
    const { pathname } = new URL(request.url);
    const type = TYPES[/\.(\w+)$/.exec(pathname)?.[1] ?? ""];
    if (type === undefined) return new Response(null, { status: 404 });
    const file = await FILES.fetch(new URL(pathname, "http://files"), { method: request.method });
    if (!file.ok) return new Response(null, { status: 404 });
    const headers = { "Content-Type": type, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff" };
    return new Response(file.body, { headers });
  },
};
