// Sales for the tests of pages, made over the API.

export function salePath(name: string): string {
  return `/s/${encodeURIComponent(name)}`;
}

/** Sends one request as the operator. Returns the JSON of a success. */
export async function api(url: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const init = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(url + path, { method, ...init });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answers ${response.status}: ${text}`);
  const json: Record<string, unknown> = text === "" ? {} : JSON.parse(text);
  return json;
}

/** Creates a coupon under a fresh name and returns the name. */
export async function createSale(url: string, settings: { readonly amount: number } & Record<string, unknown>): Promise<string> {
  const name = `sale-${crypto.randomUUID()}`;
  await api(url, "POST", "/api/coupons", { name, ...settings });
  return name;
}

export async function bulkClaim(url: string, name: string, count: number): Promise<void> {
  await api(url, "POST", `/api/coupons/${name}/claims`, { user_ids: Array.from({ length: count }, (_, index) => `user-${index}`) });
}
