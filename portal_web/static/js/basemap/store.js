// Fetches tiles, decodes them and keeps the last ones.

import { decode, Tile } from "./tile.js";

const KEPT_TILES = 96;

/** Fetches and keeps decoded tiles; one request for each, however many ask. */
export class Store {
  constructor(description) {
    this.description = description;
    this.kept = new Map();
  }

  async tile({ z, x, y }) {
    if (z < this.description.min_zoom) return new Tile();
    const key = `${z}/${x}/${y}`;
    const known = this.kept.get(key);
    this.kept.delete(key);
    const tile = known || this.fetch(z, x, y);
    this.kept.set(key, tile);
    if (this.kept.size > KEPT_TILES) this.kept.delete(this.kept.keys().next().value);
    try {
      return await tile;
    } catch (error) {
      this.kept.delete(key);
      throw error;
    }
  }

  async fetch(z, x, y) {
    const address = this.description.url.replace("{z}", z).replace("{x}", x).replace("{y}", y);
    const answer = await fetch(address, { credentials: "omit", priority: "low" });
    if (!answer.ok) throw new Error(`tile ${answer.status}`);
    return answer.status === 204 ? new Tile() : decode(await answer.arrayBuffer());
  }
}
