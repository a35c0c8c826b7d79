/* The map of the beat, drawn from what the shift brought along: works with no network at all. */

const COLOURS = () => {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return { paper: of("--paper"), card: of("--card"), edge: of("--line"), ink: of("--sub"), blue: of("--blue"), overdue: of("--late"), due: of("--due"), soon: of("--due"), done: of("--ok"), unknown: of("--none") };
};

/** A canvas that shows roads, segments, stops and the phone; drag, pinch, wheel and keys move it. */
export class BeatMap {
  constructor(canvas, { choose }) {
    this.canvas = canvas;
    this.choose = choose;
    this.view = null;
    this.pointers = new Map();
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event));
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, event.offsetX, event.offsetY); }, { passive: false });
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(canvas);
  }

  show(facts) {
    this.facts = facts;
    if (!this.view) this.fit();
    this.draw();
  }

  /** Metres on a flat plane around the beat. */
  flat([lon, lat]) {
    return [(lon - this.origin[0]) * 111320 * Math.cos((this.origin[1] * Math.PI) / 180), (this.origin[1] - lat) * 110950];
  }

  fit() {
    const { segments, stops, fix } = this.facts;
    const places = [...segments.flatMap((segment) => segment.line), ...stops.filter((stop) => stop.door).map((stop) => stop.door)];
    if (fix) places.push([fix.lon, fix.lat]);
    if (!places.length) return;
    this.origin ||= places[0];
    const flat = places.map((place) => this.flat(place));
    const xs = flat.map((place) => place[0]), ys = flat.map((place) => place[1]);
    const wide = this.canvas.clientWidth || 390, high = this.canvas.clientHeight || 240;
    const [west, east, north, south] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const scale = Math.min(4, (wide - 48) / Math.max(40, east - west), (high - 48) / Math.max(40, south - north));
    this.view = { x: (west + east) / 2, y: (north + south) / 2, scale };
  }

  toScreen(place) {
    const [x, y] = this.flat(place);
    return [(x - this.view.x) * this.view.scale + this.canvas.clientWidth / 2, (y - this.view.y) * this.view.scale + this.canvas.clientHeight / 2];
  }

  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    if (!this.view) return;
    const scale = Math.min(20, Math.max(0.05, this.view.scale * factor));
    const dx = x - this.canvas.clientWidth / 2, dy = y - this.canvas.clientHeight / 2;
    this.view.x += dx / this.view.scale - dx / scale;
    this.view.y += dy / this.view.scale - dy / scale;
    this.view.scale = scale;
    this.draw();
  }

  /** A step of 60 px for each arrow key. */
  pan(right, down) {
    if (!this.view) return;
    this.view.x += (right * 60) / this.view.scale;
    this.view.y += (down * 60) / this.view.scale;
    this.draw();
  }

  draw() {
    const wide = this.canvas.clientWidth, high = this.canvas.clientHeight, sharp = devicePixelRatio || 1;
    if (!this.facts || !this.view || !wide) return;
    this.canvas.width = wide * sharp;
    this.canvas.height = high * sharp;
    const pen = this.canvas.getContext("2d"), colours = COLOURS();
    pen.scale(sharp, sharp);
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, wide, high);
    const { roads, segments, stops, fix, next } = this.facts;
    for (const [colour, more] of [[colours.edge, 2], [colours.card, 0]]) {
      for (const road of [...roads, ...segments]) this.line(pen, road.line, colour, Math.max(4, (road.kerb_m || 6) * 2 * this.view.scale) + more);
    }
    for (const segment of segments) this.line(pen, segment.line, colours.blue, 3, [10, 6]);
    this.names(pen, [...segments, ...roads], colours);
    for (const stop of stops) if (stop.door) this.dot(pen, this.toScreen(stop.door), stop.state, colours, stop === next);
    if (fix) this.self(pen, fix, colours);
  }

  line(pen, line, colour, width, dashes = []) {
    pen.beginPath();
    line.forEach((place, at) => pen[at ? "lineTo" : "moveTo"](...this.toScreen(place)));
    pen.setLineDash(dashes);
    pen.lineCap = dashes.length ? "butt" : "round";
    pen.lineJoin = "round";
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.stroke();
    pen.setLineDash([]);
  }

  names(pen, roads, colours) {
    const larger = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--larger")) || 0;
    pen.font = `600 ${13 + larger}px "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const taken = [];
    for (const road of roads) {
      const middle = Math.floor((road.line.length - 1) / 2);
      const a = this.toScreen(road.line[middle]), b = this.toScreen(road.line[Math.min(middle + 1, road.line.length - 1)]);
      const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      if (!road.name || x < 0 || y < 0 || x > this.canvas.clientWidth || y > this.canvas.clientHeight) continue;
      if (taken.some(([ox, oy]) => Math.hypot(ox - x, oy - y) < 90)) continue;
      taken.push([x, y]);
      let turn = Math.atan2(b[1] - a[1], b[0] - a[0]);
      if (Math.abs(turn) > Math.PI / 2) turn += Math.PI;
      pen.save();
      pen.translate(x, y);
      pen.rotate(turn);
      pen.lineWidth = 3;
      pen.strokeStyle = colours.card;
      const name = road.name.replace(/（.*/, "");
      pen.strokeText(name, 0, 0);
      pen.fillStyle = colours.ink;
      pen.fillText(name, 0, 0);
      pen.restore();
    }
  }

  /** Shape as well as colour: ▲ overdue, ◆ due, ● done, ○ unknown. */
  dot(pen, [x, y], state, colours, next) {
    const r = next ? 10 : 7;
    pen.beginPath();
    if (state === "overdue") { pen.moveTo(x, y - r); pen.lineTo(x + r, y + r * 0.8); pen.lineTo(x - r, y + r * 0.8); pen.closePath(); }
    else if (state === "due" || state === "soon") { pen.moveTo(x, y - r); pen.lineTo(x + r, y); pen.lineTo(x, y + r); pen.lineTo(x - r, y); pen.closePath(); }
    else pen.arc(x, y, r - 1, 0, 7);
    pen.lineWidth = 2;
    pen.strokeStyle = state === "unknown" ? colours.unknown : colours.card;
    pen.fillStyle = state === "unknown" ? colours.card : colours[state] || colours.unknown;
    pen.fill();
    pen.stroke();
    if (next) { pen.beginPath(); pen.arc(x, y, r + 5, 0, 7); pen.strokeStyle = colours.blue; pen.lineWidth = 3; pen.stroke(); }
  }

  self(pen, fix, colours) {
    const [x, y] = this.toScreen([fix.lon, fix.lat]);
    pen.beginPath();
    pen.arc(x, y, Math.max(12, Math.min(400, (fix.accuracy_m || 0) * this.view.scale)), 0, 7);
    pen.globalAlpha = 0.18;
    pen.fillStyle = colours.blue;
    pen.fill();
    pen.globalAlpha = 1;
    pen.beginPath();
    pen.arc(x, y, 8, 0, 7);
    pen.lineWidth = 3;
    pen.strokeStyle = "#fff";
    pen.fill();
    pen.stroke();
  }

  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    this.dragged = 0;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before || !this.view) return;
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId);
    const now = [event.offsetX, event.offsetY];
    this.pointers.set(event.pointerId, now);
    if (others.length) {
      const [ox, oy] = others[0][1];
      this.zoom(Math.hypot(now[0] - ox, now[1] - oy) / Math.max(1, Math.hypot(before[0] - ox, before[1] - oy)), ox, oy);
      return;
    }
    this.dragged += Math.hypot(now[0] - before[0], now[1] - before[1]);
    this.view.x -= (now[0] - before[0]) / this.view.scale;
    this.view.y -= (now[1] - before[1]) / this.view.scale;
    this.draw();
  }

  up(event) {
    if (this.pointers.delete(event.pointerId) && this.dragged < 8 && this.facts && this.view) {
      const near = this.facts.stops.filter((stop) => stop.door)
        .map((stop) => [stop, Math.hypot(...this.toScreen(stop.door).map((value, at) => value - [event.offsetX, event.offsetY][at]))])
        .filter(([, away]) => away < 26).sort((one, other) => one[1] - other[1]);
      if (near.length) this.choose(near[0][0]);
    }
  }

  close() { this.watch.disconnect(); }
}
