// Places and ways on the globe, as far as the map needs them. Points are [lat, lon], lengths metres.

const RADIUS = 6_371_008.8;
const rad = Math.PI / 180;

/** East and north of `b` from `a` in metres, on a plane that touches the globe at `a`. */
export function flat(a, b) {
  const dlon = ((b[1] - a[1] + 540) % 360) - 180;
  return [dlon * rad * RADIUS * Math.cos(a[0] * rad), (b[0] - a[0]) * rad * RADIUS];
}

export const distance = (a, b) => Math.hypot(...flat(a, b));

/** Google's encoded polyline with six decimals. */
export function decode(text) {
  const points = [];
  let at = 0;
  const next = () => {
    let shift = 0;
    let value = 0;
    for (;;) {
      const chunk = text.charCodeAt(at++) - 63;
      value |= (chunk & 0x1f) << shift;
      if (chunk < 0x20) return value & 1 ? ~(value >> 1) : value >> 1;
      shift += 5;
    }
  };
  let lat = 0;
  let lon = 0;
  while (at < text.length) {
    lat += next();
    lon += next();
    points.push([lat / 1e6, lon / 1e6]);
  }
  return points;
}

/** A way along the roads, with the lengths from its start. */
export class Way {
  constructor(points) {
    this.points = points;
    this.lengths = [0];
    for (let i = 1; i < points.length; i += 1) this.lengths.push(this.lengths[i - 1] + distance(points[i - 1], points[i]));
  }

  get length() {
    return this.lengths.at(-1);
  }

  /** The nearest place on the way: {along, off}. With `from`, nearer parts before it count only when clearly nearer (loops). */
  project(point, from = 0) {
    let best = { along: 0, off: Infinity };
    for (let i = 1; i < this.points.length; i += 1) {
      const [bx, by] = flat(this.points[i - 1], this.points[i]);
      const [px, py] = flat(this.points[i - 1], point);
      const size = bx * bx + by * by;
      const t = size ? Math.min(1, Math.max(0, (px * bx + py * by) / size)) : 0;
      const along = this.lengths[i - 1] + t * (this.lengths[i] - this.lengths[i - 1]);
      const off = Math.hypot(px - t * bx, py - t * by) + (along < from - 30 ? 25 : 0);
      if (off < best.off) best = { along, off };
    }
    return best;
  }

  /** The point so many metres from the start. */
  at(along) {
    const i = this.#segment(along);
    const span = this.lengths[i] - this.lengths[i - 1];
    const t = span ? Math.min(1, Math.max(0, (along - this.lengths[i - 1]) / span)) : 0;
    const [a, b] = [this.points[i - 1], this.points[i]];
    return [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
  }

  /** The part between two places on the way. */
  between(from, to) {
    const [first, last] = [this.#segment(from), this.#segment(to)];
    return [this.at(from), ...this.points.slice(first, last), this.at(to)];
  }

  /** The direction of travel there, degrees clockwise from north. */
  course(along) {
    const i = this.#segment(along);
    const [x, y] = flat(this.points[i - 1], this.points[i]);
    return (Math.atan2(x, y) / rad + 360) % 360;
  }

  #segment(along) {
    let i = 1;
    while (i < this.points.length - 1 && this.lengths[i] <= along) i += 1;
    return i;
  }
}
