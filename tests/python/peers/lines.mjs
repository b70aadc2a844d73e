// What both clients share: they are asked in lines of JSON on standard input, and answer in lines on standard output.
// They stay alive between two questions, so that starting Node is no part of what is measured.

import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";

// Their packages lie among what was built, not beside this file.
export const load = createRequire(path.join(path.resolve(process.argv[2]), "package.json"));

export async function serve(acts) {
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    try {
      process.stdout.write(JSON.stringify({ done: (await acts[asked.do](asked)) ?? null }) + "\n");
    } catch (error) {
      process.stdout.write(JSON.stringify({ failed: `${asked.do}: ${error?.stack ?? JSON.stringify(error)}` }) + "\n");
    }
  }
}
