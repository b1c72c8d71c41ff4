// Reads one vector tile (Mapbox Vector Tile 2.1, 4096 units) into canvas paths and names.

const POINT = 1;
const AREA = 3;

/** The content of a tile: `paths` by "layer/kind" (with "/t" in tunnels, "/b" on bridges), named `streets` and `places`. */
export class Tile {
  constructor() {
    this.paths = new Map();
    this.streets = []; // {name, kind, line: [[x, y], …]}
    this.places = []; // {name, kind, zoom, x, y}
  }

  add(layer, values, shape, parts) {
    if (layer === "street") {
      for (const line of parts) this.streets.push({ name: values.n, kind: values.k, line });
    } else if (layer === "place") {
      this.places.push({ name: values.n, kind: values.k, zoom: values.r || 0, x: parts[0][0][0], y: parts[0][0][1] });
    } else if (shape !== POINT) {
      trace(this.path(`${layer}/${values.k}${shape === AREA ? "" : "-line"}${values.t ? "/t" : ""}${values.b ? "/b" : ""}`), parts, shape);
    }
  }

  path(key) {
    let path = this.paths.get(key);
    if (!path) this.paths.set(key, (path = new Path2D()));
    return path;
  }
}

/** Decodes the bytes of a tile; an empty tile has no bytes. */
export function decode(buffer) {
  const tile = new Tile();
  const reader = new Reader(new Uint8Array(buffer));
  reader.fields(reader.end, (field, wire) => {
    if (field === 3) decodeLayer(reader, reader.enter(), tile);
    else reader.skip(wire);
  });
  return tile;
}

function decodeLayer(reader, end, tile) {
  let name = "";
  const keys = [];
  const values = [];
  const features = [];
  reader.fields(end, (field, wire) => {
    if (field === 1) name = reader.text();
    else if (field === 2) features.push(decodeFeature(reader, reader.enter()));
    else if (field === 3) keys.push(reader.text());
    else if (field === 4) values.push(decodeValue(reader, reader.enter()));
    else reader.skip(wire);
  });
  for (const { tags, shape, parts } of features) {
    const named = {};
    for (let i = 0; i + 1 < tags.length; i += 2) named[keys[tags[i]]] = values[tags[i + 1]];
    tile.add(name, named, shape, parts);
  }
}

function decodeFeature(reader, end) {
  const feature = { tags: [], shape: 0, parts: [] };
  reader.fields(end, (field, wire) => {
    if (field === 2) feature.tags = reader.numbers(reader.enter());
    else if (field === 3) feature.shape = reader.varint();
    else if (field === 4) feature.parts = partsOf(reader.numbers(reader.enter()));
    else reader.skip(wire);
  });
  return feature;
}

function decodeValue(reader, end) {
  let value = "";
  reader.fields(end, (field, wire) => {
    if (field === 1) value = reader.text();
    else if (wire === 0) value = reader.varint();
    else reader.skip(wire);
  });
  return value;
}

function partsOf(numbers) {
  const parts = [];
  let x = 0;
  let y = 0;
  for (let at = 0; at < numbers.length; ) {
    const command = numbers[at] & 7;
    const count = command === 7 ? 0 : numbers[at] >> 3;
    at += 1;
    for (let i = 0; i < count; i += 1, at += 2) {
      x += (numbers[at] >> 1) ^ -(numbers[at] & 1);
      y += (numbers[at + 1] >> 1) ^ -(numbers[at + 1] & 1);
      if (command === 1) parts.push([]);
      parts[parts.length - 1].push([x, y]);
    }
  }
  return parts;
}

function trace(path, parts, shape) {
  for (const part of parts) {
    path.moveTo(part[0][0], part[0][1]);
    for (let i = 1; i < part.length; i += 1) path.lineTo(part[i][0], part[i][1]);
    if (shape === AREA) path.closePath();
  }
}

/** Protocol-buffer fields: just what vector tiles use. */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
    this.utf8 = new TextDecoder();
  }

  fields(end, take) {
    while (this.at < end) {
      const tag = this.varint();
      take(tag >> 3, tag & 7);
    }
  }

  varint() {
    let number = 0;
    let shift = 0;
    let byte;
    do {
      byte = this.bytes[this.at++];
      number |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte > 0x7f);
    return number >>> 0;
  }

  /** Steps into a field with a length; answers where it ends. */
  enter() {
    const length = this.varint();
    return this.at + length;
  }

  numbers(end) {
    const numbers = [];
    while (this.at < end) numbers.push(this.varint());
    return numbers;
  }

  text() {
    const end = this.enter();
    const text = this.utf8.decode(this.bytes.subarray(this.at, end));
    this.at = end;
    return text;
  }

  skip(wire) {
    if (wire === 0) this.varint();
    else if (wire === 1) this.at += 8;
    else if (wire === 2) this.at = this.enter();
    else this.at += 4;
  }
}
