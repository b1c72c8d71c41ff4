// Which names the map shows and where: candidates along streets and on places, the most important first, none over another
// and none over the way that the page draws.

import { Occupied, Way, beads } from "./shapes.js";

const REPEAT_PX = 260; // the same street's name again after this far
const LEAST_REPEAT_PX = 170; // and never nearer than this to itself, across tiles too
const MOST_BEND = 0.55; // radians over a whole name
const MOST_KINK = 0.4; // radians at one vertex
const WAY_PX = 5; // half of a drawn route with its edge
const STRAIGHT_PX = 1.6; // a street that strays less than this from its chord gets a straight name
const CURVED_SCRIPTS = /^[\u0020-\u024f\u0370-\u052f\u1e00-\u1fff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]*$/; // letters that stand alone

const STREETS = { motorway: 0, primary: 0, secondary: 1, tertiary: 2, street: 3, link: 6, pedestrian: 4, river: 4, service: 5, track: 6, path: 7, steps: 7 };
const STREET_FROM = { river: 13, motorway: 12, primary: 13, secondary: 13.5, tertiary: 14, street: 14.5, pedestrian: 15, link: 16, service: 16, track: 16, path: 16.5, steps: 17 };

/** Places: [order, size in pixels, weight, italic, from zoom, to zoom]. */
const PLACES = {
  city: [-9, 15, 650, false, 8, 14],
  town: [-8, 13.5, 650, false, 9, 15.5],
  village: [-7, 12, 600, false, 11, 16.5],
  island: [-5, 11.5, 500, true, 13, 18],
  suburb: [-6, 12, 600, false, 12, 15.6],
  quarter: [-5, 11.5, 600, false, 13.5, 16],
  hamlet: [-4, 11, 600, false, 13, 17],
  neighbourhood: [-3, 11, 600, false, 14, 17],
  locality: [2.5, 11, 500, true, 15, 18],
  park: [1.5, 11, 500, true, 13, 19],
  water: [-2, 11, 500, true, 11, 19],
  plaza: [2.2, 11, 500, true, 15, 19],
};

/**
 * Collects, sorts and places names. `tiles`: each with `project(x, y)` to pixels on the canvas; `way`: pixels of a drawn route,
 * beside which names are moved.
 */
export function placeNames({ tiles, zoom, width, height, font, measure, way = [] }) {
  const candidates = [];
  for (const { tile, project } of tiles) {
    collectPlaces(candidates, tile, project, zoom, font, measure);
    collectStreets(candidates, tile, project, zoom, font, measure);
  }
  candidates.sort((a, b) => a.order - b.order || b.room - a.room || (a.text < b.text ? -1 : a.text > b.text ? 1 : a.x - b.x));
  const taken = new Occupied();
  taken.claim(beadsOfWay(way, width, height));
  const shown = new Map();
  const placed = [];
  for (const label of candidates) {
    if (label.x < 0 || label.y < 0 || label.x > width || label.y > height) continue;
    const same = shown.get(label.text) || [];
    const apart = label.glyphs ? LEAST_REPEAT_PX : LEAST_REPEAT_PX * 2;
    if (same.some((other) => Math.hypot(other.x - label.x, other.y - label.y) < apart)) continue;
    const fitting = (way.length ? besides(label) : [label]).find((spot) => taken.free(spot.boxes));
    if (!fitting) continue;
    taken.claim(fitting.boxes);
    shown.set(label.text, [...same, fitting]);
    placed.push(fitting);
  }
  return placed;
}

function beadsOfWay(way, width, height) {
  const near = ([x, y]) => x > -width && y > -height && x < 2 * width && y < 2 * height;
  const found = [];
  for (let i = 1; i < way.length; i += 1) {
    if (near(way[i - 1]) || near(way[i])) found.push(...beads(...way[i - 1], ...way[i], WAY_PX));
  }
  return found;
}

/** The label where it is, then on either side of it: where a route runs along the street, the name stands beside it. */
function besides(label) {
  const aside = label.size * 0.6 + WAY_PX + 2.5;
  return [0, aside, -aside].map((by) => moved(label, -Math.sin(label.angle) * by, Math.cos(label.angle) * by));
}

function moved(label, dx, dy) {
  const glyphs = label.glyphs && label.glyphs.map((glyph) => ({ ...glyph, x: glyph.x + dx, y: glyph.y + dy }));
  const boxes = label.boxes.map(([x, y, r]) => [x + dx, y + dy, r]);
  return { ...label, glyphs, boxes, x: label.x + dx, y: label.y + dy };
}

function collectPlaces(candidates, tile, project, zoom, font, measure) {
  for (const place of tile.places) {
    const look = PLACES[place.kind];
    if (!look || !place.name) continue;
    const [order, size, weight, italic, from, to] = look;
    if (zoom < Math.max(from, place.zoom - 0.5) || zoom > to) continue;
    const [x, y] = project(place.x, place.y);
    const face = `${italic ? "italic " : ""}${weight} ${size}px ${font}`;
    const lines = wrapped(place.name, face, size * 9, measure);
    const boxes = lines.flatMap((line, row) => {
      const middle = y + (row - (lines.length - 1) / 2) * size * 1.15;
      return beads(x - line.width / 2, middle, x + line.width / 2, middle, size * 0.62);
    });
    candidates.push({ text: place.name, order, room: 20 - place.zoom, x, y, angle: 0, lines, size, face, boxes });
  }
}

function wrapped(text, face, most, measure) {
  const lines = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && measure(longer, face) > most) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((words) => ({ text: words, width: measure(words, face) }));
}

function collectStreets(candidates, tile, project, zoom, font, measure) {
  for (const { name, kind, line } of tile.streets) {
    if (!name || zoom < (STREET_FROM[kind] ?? 16)) continue;
    const size = zoom >= 17.25 && STREETS[kind] < 4 ? 12 : 11;
    const face = `${kind === "river" ? "italic 500" : 600} ${size}px ${font}`;
    const width = measure(name, face);
    const way = new Way(line.map(([x, y]) => project(x, y)));
    if (way.length < width + 6) continue;
    const times = Math.max(1, Math.floor(way.length / (REPEAT_PX + width)));
    for (let i = 0; i < times; i += 1) {
      const spot = bestSpot(way, ((i + 0.5) * way.length) / times, way.length / times, width);
      if (spot) candidates.push(streetLabel(name, kind, face, size, width, way, spot, measure));
    }
  }
}

/** The straightest stretch near `middle`, within `room`; null where the street bends too much. */
function bestSpot(way, middle, room, width) {
  let best = null;
  const slack = Math.max(0, (room - width) / 2);
  for (const shift of [0, 0.3, -0.3, 0.6, -0.6, 0.95, -0.95]) {
    const at = middle + shift * slack;
    const stretch = way.stretch(at - width / 2, at + width / 2);
    const bend = stretch && bendOf(stretch);
    if (bend && bend.kink <= MOST_KINK && bend.total <= MOST_BEND) {
      const cost = bend.total + Math.abs(shift) * 0.15;
      if (!best || cost < best.cost) best = { cost, at, stretch };
      if (cost < 0.05) break;
    }
  }
  return best;
}

function bendOf(points) {
  let total = 0;
  let kink = 0;
  for (let i = 2; i < points.length; i += 1) {
    const before = Math.atan2(points[i - 1][1] - points[i - 2][1], points[i - 1][0] - points[i - 2][0]);
    const after = Math.atan2(points[i][1] - points[i - 1][1], points[i][0] - points[i - 1][0]);
    const turn = Math.abs(((after - before + 3 * Math.PI) % (2 * Math.PI)) - Math.PI);
    total += turn;
    kink = Math.max(kink, turn);
  }
  return { total, kink };
}

function streetLabel(text, kind, face, size, width, way, spot, measure) {
  let points = spot.stretch;
  const [first, last] = [points[0], points[points.length - 1]];
  if (last[0] < first[0] - 0.01) points = [...points].reverse();
  const [x, y] = [(first[0] + last[0]) / 2, (first[1] + last[1]) / 2];
  const straight = strayOf(points) < STRAIGHT_PX || !CURVED_SCRIPTS.test(text);
  const glyphs = straight ? [alongChord(text, points)] : alongCurve(text, face, new Way(points), measure);
  const boxes = [];
  for (let i = 1; i < points.length; i += 1) boxes.push(...beads(...points[i - 1], ...points[i], size * 0.6));
  const angle = Math.atan2(last[1] - first[1], last[0] - first[0]);
  return { text, order: STREETS[kind] ?? 7, room: way.length, x, y, angle, glyphs, size, face, boxes };
}

function strayOf(points) {
  const [[x0, y0], [x1, y1]] = [points[0], points[points.length - 1]];
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  return Math.max(...points.map(([x, y]) => Math.abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / length));
}

function alongChord(text, points) {
  const [[x0, y0], [x1, y1]] = [points[0], points[points.length - 1]];
  return { text, x: (x0 + x1) / 2, y: (y0 + y1) / 2, angle: Math.atan2(y1 - y0, x1 - x0) };
}

/** Every letter on its own, where kerning puts it, turned with the street. */
function alongCurve(text, face, way, measure) {
  const letters = [...text];
  const glyphs = [];
  let before = 0;
  for (let i = 0; i < letters.length; i += 1) {
    const after = measure(letters.slice(0, i + 1).join(""), face);
    const middle = (before + after) / 2;
    const [x, y] = way.at(middle);
    const [[ax, ay], [bx, by]] = [way.at(middle - 6), way.at(middle + 6)];
    glyphs.push({ text: letters[i], x, y, angle: Math.atan2(by - ay, bx - ax) });
    before = after;
  }
  return glyphs;
}

/** Writes placed names: halo first, then letters, so that no halo covers a letter. */
export function drawNames(context, labels, palette) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = palette.halo;
  context.fillStyle = palette.label;
  for (const write of ["strokeText", "fillText"]) {
    for (const label of labels) {
      context.font = label.face;
      for (const glyph of label.glyphs || []) writeTurned(context, write, glyph);
      (label.lines || []).forEach((line, row, all) => {
        context[write](line.text, label.x, label.y + (row - (all.length - 1) / 2) * label.size * 1.15);
      });
    }
  }
}

function writeTurned(context, write, { text, x, y, angle }) {
  context.save();
  context.translate(x, y);
  context.rotate(angle);
  context[write](text, 0, 0.5);
  context.restore();
}
