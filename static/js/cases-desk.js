/* The queue: pins beside the list, keys, select all. The page works without it. */
(() => {
  const ink = (token) => getComputedStyle(document.documentElement).getPropertyValue(token).trim();
  const none = ink("--none"), colour = { green: ink("--ok"), yellow: ink("--due"), red: ink("--late"), black: ink("--ink"), paused: none, done: none, none };
  const shape = { green: "●", yellow: "◆", red: "▲", black: "■", paused: "❚❚", done: "✓", none: "○" };
  const single = document.querySelector("[data-casemap]");
  if (single && window.L) {
    const at = [Number(single.dataset.lat), Number(single.dataset.lon)];
    const map = window.casesMap(single, { subdistrict: single.dataset.subdistrict, center: at, zoom: 18 });
    L.circleMarker(at, { radius: 9, color: colour.red }).addTo(map);
  }
  // The place of a case that has none yet, or a wrong one: touched, or written in the field above.
  for (const pick of document.querySelectorAll("[data-pickmap]")) {
    if (!window.L) break;
    pick.classList.remove("hidden");
    const form = pick.closest("form"), details = pick.closest("details");
    let map = null, pin = null;
    const open = () => {
      if (map || !details.open) return;
      const at = [Number(pick.dataset.lat), Number(pick.dataset.lon)];
      map = window.casesMap(pick, { subdistrict: pick.dataset.subdistrict, center: at, zoom: 16 });
      map.on("click", ({ latlng }) => {
        form.elements.lon.value = latlng.lng.toFixed(7); form.elements.lat.value = latlng.lat.toFixed(7);
        if (pin) pin.setLatLng(latlng); else pin = L.circleMarker(latlng, { radius: 9, color: colour.red }).addTo(map);
        const said = form.querySelector("[data-picked]");
        said.textContent = said.dataset.picked;
      });
    };
    form.elements.place.addEventListener("input", () => {
      form.elements.lon.value = form.elements.lat.value = "";
      if (pin) { pin.remove(); pin = null; }
      form.querySelector("[data-picked]").textContent = "";
    });
    details.addEventListener("toggle", open);
    open();
  }
  // A link to an act opens it.
  const unfold = () => {
    const act = location.hash.startsWith("#do-") && document.getElementById(location.hash.slice(1));
    if (act) { act.open = true; act.scrollIntoView({ block: "start" }); }
  };
  addEventListener("hashchange", unfold);
  unfold();
  // A text for replies goes into the field beside it; without this the link brings the page filled.
  for (const link of document.querySelectorAll("a[data-reply]")) {
    link.addEventListener("click", (event) => {
      const field = link.closest("form")?.querySelector("textarea[name=words]");
      if (!field || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      field.value = link.dataset.reply;
      field.rows = 4;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      link.closest("details").open = false;
      field.focus();
    });
  }
  const box = document.querySelector("[data-deskmap]");
  const rows = [...document.querySelectorAll("[data-queue] tr[data-id]")];
  const pins = new Map();
  if (box && window.L) {
    const placed = rows.filter((row) => row.dataset.lon);
    const map = window.casesMap(box, { subdistrict: box.dataset.subdistrict, center: [31.2271, 121.5195], zoom: 15 });
    for (const row of placed) {
      const mark = document.createElement("span");
      mark.textContent = shape[row.dataset.light] || "○";
      mark.style.color = colour[row.dataset.light] || colour.none;
      mark.style.font = "700 20px sans-serif";
      mark.style.whiteSpace = "nowrap";
      mark.style.textShadow = "0 0 3px var(--card), 0 0 3px var(--card)";
      const pin = L.marker([Number(row.dataset.lat), Number(row.dataset.lon)], { icon: L.divIcon({ html: mark, className: "", iconSize: [22, 22] }), title: row.querySelector("a")?.innerText.replace(/\s+/g, " ") || "" }).addTo(map);
      pin.on("click", () => select(rows.indexOf(row), true));
      pin.on("keypress", ({ originalEvent }) => { if (originalEvent.key === "Enter") select(rows.indexOf(row), true); });
      pins.set(row, pin);
    }
    // A case far from all others (taken over from elsewhere) does not make it a map of the world.
    const middle = (name) => placed.map((row) => Number(row.dataset[name])).sort((a, b) => a - b)[placed.length >> 1];
    const [lat, lon] = [middle("lat"), middle("lon")];
    const near = placed.filter((row) => Math.abs(row.dataset.lat - lat) < 0.3 && Math.abs(row.dataset.lon - lon) < 0.3);
    if (near.length) map.fitBounds(L.latLngBounds(near.map((row) => [Number(row.dataset.lat), Number(row.dataset.lon)])).pad(0.1), { maxZoom: 18, animate: false });
    box.map = map;
  }
  let at = -1;
  function select(index, scroll) {
    if (!rows[index]) return;
    rows[at]?.removeAttribute("aria-selected");
    at = index; rows[at].setAttribute("aria-selected", "true");
    rows[at].querySelector("a").focus({ preventScroll: !scroll });
    const pin = pins.get(rows[at]);
    if (pin && box.map) box.map.panTo(pin.getLatLng());
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (event.key === "j") select(at + 1, true);
    else if (event.key === "k") select(at - 1, true);
    else if (event.key === "x" && rows[at]) { const tick = rows[at].querySelector("input"); tick.checked = !tick.checked; }
    else if (event.key === "/") { event.preventDefault(); document.querySelector("[data-find] [type=search]")?.focus(); }
  });
  const all = document.querySelector("[data-all]");
  if (all) { all.classList.remove("hidden"); all.addEventListener("click", () => { for (const row of rows) row.querySelector("input").checked = true; }); }
})();
