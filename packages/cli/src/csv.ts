// Reads user ids from a CSV file (RFC 4180).

import { usage } from "./failure.ts";

const ID_MAX = 255;
const FAULTS_SHOWN = 3;

/** Where a record begins, and its cells. */
type Row = { readonly line: number; readonly cells: readonly string[] };

/** Returns the records of a CSV text. Quoted cells may have delimiters, quotes and line breaks. */
export function rowsIn(text: string, delimiter: string): Row[] {
  const rows: Row[] = [];
  let cells: string[] = [];
  let [line, begun] = [1, 1];
  // A quoted or a plain cell, and what ends it.
  const cell = new RegExp(String.raw`(?:"((?:[^"]|"")*)"|([^${delimiter}\r\n"][^${delimiter}\r\n]*)?)(${delimiter}|\r\n|\r|\n|$)`, "y");
  while (cell.lastIndex < text.length || cells.length > 0) {
    const found = cell.exec(text);
    if (found === null)
      throw usage(`line ${line} is not CSV: a quote stands alone`, "put quotes around the whole cell, and double those inside");
    const [whole, quoted, plain = "", end = ""] = found;
    cells.push(quoted?.replaceAll('""', '"') ?? plain);
    line += whole.match(/\r\n|\r|\n/g)?.length ?? 0;
    if (end === delimiter) continue;
    // An empty line is no record.
    if (cells.length > 1 || cells[0] !== "") rows.push({ line: begun, cells });
    cells = [];
    begun = line;
    if (end === "") break;
  }
  return rows;
}

/**
 * Returns the user ids in a column, each once, in their order. Throws {@link CommandError} if the column is missing,
 * or if an id can't be one.
 */
export function userIdsIn(content: string, column: string): { readonly users: readonly string[]; readonly duplicateCount: number } {
  const text = content.replace(/^\uFEFF/, "");
  const [header = ""] = text.split(/\r\n|\r|\n/, 1);
  // Some spreadsheets write semicolons.
  const delimiter = [",", ";", "\t"].find((one) => header.includes(one)) ?? ",";
  const [head, ...rows] = rowsIn(text, delimiter);
  const index = head?.cells.findIndex((cell) => cell.trim() === column) ?? -1;
  if (index === -1) throw usage(`the first line has no column ${column}`, "name the column: --column NAME");
  const ids = rows.map(({ line, cells }) => ({ line, id: cells[index] ?? "" }));
  const faults = ids.flatMap(({ line, id }) => {
    const fault = faultOf(id);
    return fault === null ? [] : [`line ${line} ${fault}`];
  });
  if (faults.length > 0) {
    const others = faults.length > FAULTS_SHOWN ? `, and ${faults.length - FAULTS_SHOWN} more` : "";
    throw usage(`nothing was sent: ${faults.slice(0, FAULTS_SHOWN).join("; ")}${others}`, "correct the file, and run it again");
  }
  const users = Array.from(new Set(ids.map(({ id }) => id)));
  if (users.length === 0) throw usage("the file has no users", "put one user id on each line below the header");
  return { users, duplicateCount: ids.length - users.length };
}

/** Says why a text is no user id, as the server would. */
function faultOf(id: string): string | null {
  if (id.trim() === "") return "has no user id";
  if (Array.from(id).length > ID_MAX) return `has an id of more than ${ID_MAX} characters`;
  return /\p{Cc}|\p{Cs}/u.test(id) ? "has an id with a control character" : null;
}
