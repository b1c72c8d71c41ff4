// Lines and circles in pixels: what names are laid along, and what they occupy.

/** Circles along a line: what a name occupies. */
export function beads(x0, y0, x1, y1, radius) {
  const count = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / (radius * 1.5)));
  return Array.from({ length: count + 1 }, (_, i) => [x0 + ((x1 - x0) * i) / count, y0 + ((y1 - y0) * i) / count, radius]);
}

/** A line of pixels that can be asked for places along it. */
export class Way {
  constructor(points) {
    this.points = points;
    this.along = [0];
    for (let i = 1; i < points.length; i += 1) {
      this.along.push(this.along[i - 1] + Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]));
    }
    this.length = this.along[points.length - 1];
  }

  at(distance) {
    const wanted = Math.min(Math.max(distance, 0), this.length);
    let i = 1;
    while (i < this.along.length - 1 && this.along[i] < wanted) i += 1;
    const part = (wanted - this.along[i - 1]) / (this.along[i] - this.along[i - 1] || 1);
    const [[x0, y0], [x1, y1]] = [this.points[i - 1], this.points[i]];
    return [x0 + (x1 - x0) * part, y0 + (y1 - y0) * part];
  }

  stretch(from, to) {
    if (from < 0 || to > this.length) return null;
    const between = this.points.filter((_, i) => this.along[i] > from + 1 && this.along[i] < to - 1);
    return [this.at(from), ...between, this.at(to)];
  }
}

/** Circles already taken, in a grid of cells. */
export class Occupied {
  constructor() {
    this.cells = new Map();
  }

  /** True if none of these circles touches one that is taken. */
  free(circles) {
    return !circles.some(([x, y, r]) => this.around(x, y).some(([ox, oy, or]) => Math.hypot(ox - x, oy - y) < r + or + 1));
  }

  claim(circles) {
    for (const bead of circles) {
      const key = `${Math.floor(bead[0] / 32)},${Math.floor(bead[1] / 32)}`;
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push(bead);
    }
  }

  around(x, y) {
    const [column, row] = [Math.floor(x / 32), Math.floor(y / 32)];
    const found = [];
    for (let i = column - 1; i <= column + 1; i += 1) {
      for (let j = row - 1; j <= row + 1; j += 1) found.push(...(this.cells.get(`${i},${j}`) || []));
    }
    return found;
  }
}
