// PouchDB as an app would use it: a LevelDB store on the disk, replicated over HTTP.

import { load, serve } from "./lines.mjs";

const PouchDB = load("pouchdb");
const LOT = 500;
const open = new Map();

const whole = (result) => {
  if (!result.ok || result.errors.length || result.doc_write_failures) throw new Error(JSON.stringify(result));
};

// What stands before a deletion: whether its words can still be read here.
async function readable(db, id) {
  const [leaf] = await db.get(id, { revs: true, open_revs: "all" });
  if (!leaf?.ok?._deleted) return false;
  const { start, ids } = leaf.ok._revisions;
  try {
    return Boolean((await db.get(id, { rev: `${start - 1}-${ids[1]}` })).description);
  } catch (error) {
    if (error.status === 404) return false;
    throw error;
  }
}

await serve({
  open({ name, folder, remote, town }) {
    const options = { batch_size: LOT };
    if (town) Object.assign(options, { filter: "app/of_town", query_params: { town } });
    open.set(name, { db: new PouchDB(folder), remote, options });
  },
  async queue({ name, rows }) {
    const results = await open.get(name).db.bulkDocs(rows);
    if (results.some((result) => !result.ok)) throw new Error(JSON.stringify(results));
  },
  async push({ name }) {
    const { db, remote } = open.get(name);
    whole(await db.replicate.to(remote, { batch_size: LOT }));
  },
  async pull({ name }) {
    const { db, remote, options } = open.get(name);
    whole(await db.replicate.from(remote, options));
  },
  async held({ name }) {
    const { rows } = await open.get(name).db.allDocs({ include_docs: true });
    return rows.filter((row) => row.doc.description).map((row) => row.doc.description);
  },
  async readable({ name, ids }) {
    let count = 0;
    for (const id of ids) count += await readable(open.get(name).db, id);
    return count;
  },
});
