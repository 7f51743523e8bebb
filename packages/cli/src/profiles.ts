// The servers and tokens that `login` has stored, in a file that only its user can read.

import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, posix, win32 } from "node:path";

import { CommandError, EXIT, quoted } from "./failure.ts";

export type Profile = { readonly url: string; readonly token?: string };
export type Profiles = Readonly<Record<string, Profile>>;

type Env = Readonly<Record<string, string | undefined>>;

/** Returns the file of the profiles: in the folder where the platform keeps a user's settings. */
export function profilesFile(platform: string = process.platform, env: Env = process.env, home: string = homedir()): string {
  if (platform === "win32") return win32.join(env["APPDATA"] ?? win32.join(home, "AppData", "Roaming"), "doorbuster", "profiles.json");
  if (platform === "darwin") return posix.join(home, "Library", "Application Support", "doorbuster", "profiles.json");
  const config = env["XDG_CONFIG_HOME"] ?? "";
  // A relative path is invalid there (source: XDG Base Directory Specification).
  return posix.join(posix.isAbsolute(config) ? config : posix.join(home, ".config"), "doorbuster", "profiles.json");
}

/** Returns the profiles of a file: none if it does not exist. Throws {@link CommandError} if it can't be read. */
export function readProfiles(file: string = profilesFile()): Profiles {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return {};
    throw unreadable(file);
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw unreadable(file);
  }
  if (typeof content !== "object" || content === null) throw unreadable(file);
  return Object.fromEntries(
    Object.entries(content).map(([name, profile]: [string, unknown]) => {
      if (!isProfile(profile)) throw unreadable(file);
      return [name, profile];
    }),
  );
}

function isProfile(value: unknown): value is Profile {
  if (typeof value !== "object" || value === null || !("url" in value)) return false;
  if (typeof value.url !== "string" || !URL.canParse(value.url)) return false;
  return !("token" in value) || typeof value.token === "string";
}

function unreadable(file: string): CommandError {
  return new CommandError(EXIT.usage, `${file} can't be read as profiles`, "remove the file, and run doorbuster login again", {
    code: "usage",
  });
}

/** Writes the profiles, as a whole or not at all. */
export function writeProfiles(profiles: Profiles, file: string = profilesFile()): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  try {
    writeFileSync(next, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    // A umask can only take rights away, and the owner needs these.
    chmodSync(next, 0o600);
    renameSync(next, file);
  } finally {
    rmSync(next, { force: true });
  }
}

/** Returns the option that names a profile, if it needs one. */
export function profileFlag(name: string): string {
  return name === "default" ? "" : ` --profile ${quoted(name)}`;
}
