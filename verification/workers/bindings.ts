// A Worker that does what a test asks with its bindings: a batch of SQL on its database, or a fetch.

export * from "../../src/objects.ts";

export default {
  async fetch(request, { DB }) {
    const { statements, url } = await request.json<{ readonly statements?: readonly string[]; readonly url?: string }>();
    try {
      if (url !== undefined) return new Response(await (await fetch(url)).text());
      const results = await DB.batch((statements ?? []).map((statement) => DB.prepare(statement)));
      return Response.json(results.map((result) => result.results));
    } catch (cause) {
      return new Response(String(cause), { status: 500 });
    }
  },
} satisfies ExportedHandler<{ readonly DB: D1Database }>;
