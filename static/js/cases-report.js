/* The report page: everything here is comfort; without script the form works the same. */
(() => {
  const form = document.querySelector("[data-report]");
  if (!form) return;
  const stop = form.querySelector("[data-stop]");
  const dangers = ["AQ00", "AQ01", "XF01", "XF02", "XF04", "ZP02", "BJ01", "BJ05"];
  form.addEventListener("change", (event) => {
    if (event.target.name === "category" && stop) stop.hidden = !dangers.includes(event.target.value);
  });
  /* Sent once, however often the button is pressed; the id makes the server see it too. */
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    const button = form.querySelector("button.main");
    if (button) button.setAttribute("aria-busy", "true");
    try { sessionStorage.removeItem(KEY); } catch { /* private mode */ }
  });
  window.addEventListener("pageshow", () => { delete form.dataset.sent; });
  /* A draft of the words stays on the phone until it is sent. */
  const KEY = "report-words", words = form.querySelector("[name=words]");
  try {
    if (words && !words.value) words.value = sessionStorage.getItem(KEY) || "";
    words.addEventListener("input", () => sessionStorage.setItem(KEY, words.value));
  } catch { /* private mode keeps nothing */ }
  const box = form.querySelector("[data-map]");
  if (!box || !window.L) return;
  box.classList.remove("hidden");
  const lon = form.querySelector("[name=lon]"), lat = form.querySelector("[name=lat]"), accuracy = form.querySelector("[name=accuracy_m]"), datum = form.querySelector("[name=datum]");
  const where = form.querySelector("[data-where]");
  const at = lon.value && lat.value ? [Number(lat.value), Number(lon.value)] : [Number(box.dataset.lat || 31.2271), Number(box.dataset.lon || 121.5195)];
  const map = window.casesMap(box, { subdistrict: box.dataset.subdistrict, center: at, zoom: lon.value ? 18 : 15 });
  let pin = lon.value ? L.circleMarker(at, { radius: 10 }).addTo(map) : null;
  const shop = form.querySelector("[name=storefront]"), said = form.querySelector("[name=said]");
  if (said) said.addEventListener("input", () => { shop.value = ""; });
  const choose = (latlng, metres) => {
    shop.value = "";
    lon.value = latlng.lng.toFixed(7); lat.value = latlng.lat.toFixed(7); accuracy.value = metres || ""; datum.value = "wgs84";
    if (pin) pin.setLatLng(latlng); else pin = L.circleMarker(latlng, { radius: 10 }).addTo(map);
    where.textContent = box.dataset.said;
  };
  map.on("click", (event) => choose(event.latlng));
  const row = form.querySelector("[data-locate-row]");
  row.classList.remove("hidden");
  const button = form.querySelector("[data-locate]");
  if (!navigator.geolocation) { button.remove(); return; }
  button.addEventListener("click", () => {
    button.setAttribute("aria-busy", "true");
    const done = () => button.removeAttribute("aria-busy");
    navigator.geolocation.getCurrentPosition((fix) => {
      done();
      const found = L.latLng(fix.coords.latitude, fix.coords.longitude);
      choose(found, Math.round(fix.coords.accuracy)); map.setView(found, 18);
    }, () => { done(); where.textContent = box.dataset.no; }, { enableHighAccuracy: true, timeout: 15000 });
  });
})();
