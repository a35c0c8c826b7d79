/* Was the phone at the door? The same rule as the server's, so that the answer is there at once. */

export const RULE = "reach-1";
const POOR_M = 200; // no fix at all is as good
const GOOD_M = 50;
const MOST_WIDENING_M = 35;

/** Metres from a fix to a frontage (a line of [lon, lat], or one door point). */
export function metres(fix, line) {
  const [sx, sy] = scale(fix.lat);
  const flat = line.map(([lon, lat]) => [(lon - fix.lon) * sx, (lat - fix.lat) * sy]);
  if (flat.length === 1) return Math.hypot(flat[0][0], flat[0][1]);
  let least = Infinity;
  for (let place = 1; place < flat.length; place += 1) least = Math.min(least, toPiece(flat[place - 1], flat[place]));
  return least;
}

/** Metres to one degree of longitude and of latitude on WGS-84 at this latitude. */
function scale(lat) {
  const phi = (lat * Math.PI) / 180, e2 = 0.00669437999014, a = 6378137;
  const w = 1 - e2 * Math.sin(phi) ** 2;
  return [((a / Math.sqrt(w)) * Math.cos(phi) * Math.PI) / 180, (((a * (1 - e2)) / w ** 1.5) * Math.PI) / 180];
}

function toPiece([ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay, long = dx * dx + dy * dy;
  const t = long ? Math.min(1, Math.max(0, -(ax * dx + ay * dy) / long)) : 0;
  return Math.hypot(ax + t * dx, ay + t * dy);
}

const number = (value) => typeof value === "number" && Number.isFinite(value);

/** [outcome, reason, limit in metres] for a distance, an accuracy and a radius: the rule, in its order. */
export function judge(distance_m, accuracy_m, radius_m) {
  const a = accuracy_m, d = distance_m, r = radius_m;
  if (!number(d)) return ["weak", "no_fix", null];
  if (!number(a) || a <= 0) return ["weak", "no_accuracy", null];
  if (a > POOR_M) return ["weak", "blind", null];
  const near = r + Math.min(a, MOST_WIDENING_M), far = r + 2 * a;
  if (d > far) return ["contradicted", "beyond", far];
  if (a <= GOOD_M && d <= near) return ["verified", "within", near];
  return ["weak", a > GOOD_M ? "coarse" : "between", near];
}

/** The verdict on a fix at a stop, with the numbers that made it. */
export function verdict(fix, stop) {
  const radius_m = stop.radius_m ?? 30;
  const usable = fix && number(fix.lat) && number(fix.lon);
  const line = stop.frontage?.length ? stop.frontage : stop.door ? [stop.door] : null;
  const distance = usable && line ? metres(fix, line) : null;
  const accuracy = usable && number(fix.accuracy_m) ? fix.accuracy_m : null;
  const [outcome, reason, limit] = judge(distance, accuracy, radius_m);
  const short = (value) => (value === null ? null : Math.round(value * 10) / 10);
  return {
    outcome, reason, rule: RULE, radius_m,
    distance_m: short(distance), accuracy_m: short(accuracy), limit_m: short(limit),
  };
}
