/* WGS-84 and GCJ-02, as roadchief/lib/coords.py has them; tests/browser/test_backgrounds.py holds the two
   together number by number. Degrees in, degrees out: [longitude, latitude]. */
"use strict";
window.RoadChiefDatum = (() => {
  const AXIS_M = 6378245.0, ECCENTRICITY_2 = 0.00669342162296594323; // Krasovsky 1940
  const CHINA = [72.004, 0.8293, 137.8347, 55.8271]; // outside, the two are the same
  const ROUNDS = 12, { sin, cos, sqrt, abs, PI } = Math;

  function shift(lon, lat) {
    if (!(lon >= CHINA[0] && lon <= CHINA[2] && lat >= CHINA[1] && lat <= CHINA[3])) return [0, 0];
    const x = lon - 105, y = lat - 35, root = sqrt(abs(x));
    const common = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3;
    let dLat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common;
    dLat += ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3;
    dLat += ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3;
    let dLon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common;
    dLon += ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3;
    dLon += ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3;
    const angle = (lat * PI) / 180, magic = 1 - ECCENTRICITY_2 * sin(angle) ** 2;
    const meridian = (AXIS_M * (1 - ECCENTRICITY_2)) / (magic * sqrt(magic));
    const parallel = (AXIS_M / sqrt(magic)) * cos(angle);
    return [((dLon / parallel) * 180) / PI, ((dLat / meridian) * 180) / PI];
  }
  function toGcj(lon, lat) {
    const [east, north] = shift(lon, lat);
    return [lon + east, lat + north];
  }
  /* By iteration: the public way back errs by metres. */
  function toWgs(lon, lat) {
    let east = lon, north = lat;
    for (let n = 0; n < ROUNDS; n++) {
      const [x, y] = toGcj(east, north);
      east += lon - x; north += lat - y;
      if (Math.max(abs(lon - x), abs(lat - y)) < 1e-10) break;
    }
    return [east, north];
  }
  return { toGcj, toWgs };
})();
