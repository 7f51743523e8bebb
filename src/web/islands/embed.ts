// `/embed.js`: puts a sale into a page of the shop. It is a classic script, so all its names stand in a block.

/** A token of the shop's user, or what gets one. */
export type Token = string | (() => string | Promise<string>);
declare global {
  interface Window {
    readonly doorbuster?: { readonly token?: Token };
  }
}
{
  /** The height of the frame until the sale says its own. */
  const FIRST_HEIGHT = "32rem";
  const HEIGHT_MAX = 4_000;

  const script = document.currentScript;
  const coupon = script?.dataset["coupon"];
  if (script instanceof HTMLScriptElement && coupon !== undefined) {
    const server = new URL(script.src).origin;
    const frame = document.createElement("iframe");
    const flow = script.dataset["flow"] === "hold" ? "&flow=hold" : "";
    frame.src = `${server}/s/${encodeURIComponent(coupon)}?embed=1${flow}`;
    frame.title = script.dataset["title"] ?? "Sale";
    // The sale answers its shop alone, and knows it by the referrer.
    frame.referrerPolicy = "origin";
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms");
    Object.assign(frame.style, { display: "block", width: "100%", height: script.dataset["height"] ?? FIRST_HEIGHT, border: "0" });

    const handOver = async (): Promise<void> => {
      const source = window.doorbuster?.token;
      const token = typeof source === "function" ? await source() : source;
      if (token !== undefined) frame.contentWindow?.postMessage({ type: "doorbuster:token", token }, server);
    };
    window.addEventListener("message", ({ source, origin, data }: MessageEvent<unknown>) => {
      if (source !== frame.contentWindow || origin !== server || typeof data !== "object" || data === null || !("type" in data)) return;
      if (data.type === "doorbuster:ready" && "needs_token" in data && data.needs_token === true) void handOver();
      const height = "height" in data ? Number(data.height) : 0;
      if (data.type === "doorbuster:height" && height > 0) frame.style.height = `${Math.min(height, HEIGHT_MAX)}px`;
      if (data.type === "doorbuster:outcome") script.dispatchEvent(new CustomEvent("doorbuster:outcome", { bubbles: true, detail: data }));
    });
    script.after(frame);
  }
}
