// A preloaded library that makes each fsync slow, as on a disk, or a no-op. It needs a C compiler.

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** The longest delay before a flush. Until then, written data is not on the disk. */
const DELAY_MS_MAX = 10;

/** While the file `lies` exists, an fsync reports success and does nothing. */
function source(lies: string): string {
  return `#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int flush(const char *name, int fd) {
  if (access(${JSON.stringify(lies)}, F_OK) == 0) return 0;
  usleep(random() % ${DELAY_MS_MAX * 1_000});
  return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return flush("fsync", fd); }
int fdatasync(int fd) { return flush("fdatasync", fd); }
`;
}

/** Builds it below `folder`. Returns its path for `LD_PRELOAD`, or null without a compiler. */
export async function slowFsync(folder: string, lies: string): Promise<string | null> {
  const code = join(folder, "slow-fsync.c");
  const library = join(folder, "slow-fsync.so");
  await writeFile(code, source(lies));
  try {
    await promisify(execFile)("gcc", ["-shared", "-fPIC", "-O2", "-o", library, code, "-ldl"]);
    return library;
  } catch {
    return null;
  }
}
