// The phone may say where it is, when its owner asks for it: a copied code shows itself so.
const form = document.querySelector("form.here");
if (form && navigator.geolocation) {
  const said = form.querySelector("[role=status]");
  const button = form.querySelector("button");
  form.classList.remove("hidden");
  const tell = async (fix) => {
    const body = new FormData(form);
    body.set("lon", fix.coords.longitude);
    body.set("lat", fix.coords.latitude);
    body.set("accuracy_m", fix.coords.accuracy);
    const answer = await fetch(form.action, { method: "POST", body });
    if (!answer.ok) throw new Error(String(answer.status));
    said.textContent = answer.headers.get("X-Far") === "1" ? said.dataset.far : said.dataset.near;
    button.remove();
  };
  button.addEventListener("click", () => {
    button.setAttribute("aria-busy", "true");
    const give = () => { button.removeAttribute("aria-busy"); said.textContent = said.dataset.no; };
    navigator.geolocation.getCurrentPosition((fix) => tell(fix).catch(give), give,
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 0 });
  });
}
