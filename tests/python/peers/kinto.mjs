// kinto.js, Kinto's own offline client. Its store is IndexedDB, which Node lacks: a stand-in keeps it in memory.

import { EventEmitter } from "node:events";
import { load, serve } from "./lines.mjs";

load("fake-indexeddb/auto");
const Kinto = load("kinto").default;
const open = new Map();

async function sync({ name }) {
  const result = await open.get(name).sync();
  if (!result.ok) throw new Error(JSON.stringify(result).slice(0, 2000));
}

await serve({
  open({ name, remote, bucket, collection, login }) {
    const headers = { Authorization: "Basic " + Buffer.from(login.join(":")).toString("base64") };
    const kinto = new Kinto({ remote, bucket, headers, dbPrefix: name, events: new EventEmitter(), timeout: 300_000 });
    open.set(name, kinto.collection(collection));
  },
  async queue({ name, rows }) {
    for (const row of rows) await open.get(name).create(row, { useRecordId: true });
  },
  push: sync,
  pull: sync,
  async held({ name }) {
    const { data } = await open.get(name).list({}, { includeDeleted: true });
    return data.map((row) => row.description);
  },
});
