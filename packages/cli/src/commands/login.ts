// `login` and `logout`: servers and tokens that later calls take by themselves.

import type { Command } from "../args.ts";
import { CommandError, EXIT, usage, valueOf } from "../failure.ts";
import { profileFlag, profilesFile, readProfiles, writeProfiles } from "../profiles.ts";
import { ask, isTerminal, lineOfInput } from "../prompt.ts";
import { checkedUrl, DEFAULT_PROFILE, DEFAULT_URL } from "../server.ts";
import type { Session } from "../session.ts";

const login: Command = {
  name: "login",
  operands: [],
  about: "Stores a server and its token. Later commands take them by themselves.",
  details: `It asks for both, and does not show the token. Without a terminal it reads the token from standard input.
They are stored in ${profilesFile()}, which only you can read.`,
  options: { "no-check": { help: "stores a token that is not the operator's, such as SERVICE_TOKEN" } },
  examples: ["doorbuster login --url https://sale.example < token.txt", "doorbuster login --profile staging"],
  json: "`{profile, url, file}`",
  async run(session) {
    const { args } = session;
    const profile = args.text("profile") ?? DEFAULT_PROFILE;
    if (!/^[\w.-]{1,64}$/.test(profile))
      throw usage("a profile is named by letters, digits, dots and dashes", "doorbuster login --profile staging");
    const { url, token } = await entered(session, profile);
    if (!/^[!-~]+$/.test(token)) throw usage("a token has visible ASCII characters alone, and at least one", "copy the token again");
    if (!args.flag("no-check")) await check(session, url, token);
    writeProfiles({ ...readProfiles(), [profile]: { url, token } });
    session.print({ profile, url, file: profilesFile() }, [`stored ${url} as the profile ${profile}`]);
    session.note(`Now run: doorbuster list${profileFlag(profile)}`);
    return EXIT.done;
  },
};

async function entered({ args, isJson }: Session, profile: string): Promise<{ url: string; token: string }> {
  const stored = readProfiles()[profile]?.url;
  const [urlGiven, tokenGiven] = [args.text("url"), args.text("token")];
  const proposed = process.env["DOORBUSTER_URL"] || stored || DEFAULT_URL;
  if (isTerminal() && !isJson) {
    const url = checkedUrl(urlGiven ?? ((await ask(`Address of the server [${proposed}]: `)).trim() || proposed));
    return { url, token: tokenGiven ?? (await ask(`Token for ${url} (not shown): `, { isSecret: true })).trim() };
  }
  const url = checkedUrl(urlGiven ?? proposed);
  return { url, token: tokenGiven ?? (await lineOfInput()).trim() };
}

/** Asks for the holds of a coupon. That needs the operator's token, and no coupon. */
async function check(session: Session, url: string, token: string): Promise<void> {
  const answer = await session.operator({ url, token }).holds("login", { limit: 1 });
  if (answer.ok || answer.code === "coupon_not_found") return;
  if (answer.code === "unauthorized")
    throw new CommandError(
      EXIT.refused,
      "the server does not accept this as the operator's token, so it was not stored",
      "copy the ADMIN_TOKEN again, or add --no-check for another token",
      {
        code: answer.code,
      },
    );
  valueOf(answer);
}

const logout: Command = {
  name: "logout",
  operands: [],
  about: "Removes a stored server and its token.",
  options: {},
  examples: ["doorbuster logout", "doorbuster logout --profile staging"],
  json: "`{removed}`",
  async run(session) {
    const profile = session.args.text("profile") ?? DEFAULT_PROFILE;
    const { [profile]: removed, ...others } = readProfiles();
    if (removed === undefined)
      throw usage(`there is no profile "${profile}"`, `those that are stored: ${Object.keys(others).join(", ") || "none"}`);
    writeProfiles(others);
    session.print({ removed: profile }, [`removed ${removed.url} and its token`]);
    return EXIT.done;
  },
};

export const loginCommands: readonly Command[] = [login, logout];
