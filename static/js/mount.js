// Mounting a plate: the position goes along with the form; a blank plate lists the shops nearby.
const form = document.querySelector("form.place");
const said = form.querySelector(".where-am-i");
const give = () => { said.textContent = said.dataset.no; };
const take = ({ coords }) => {
  form.elements.lon.value = coords.longitude;
  form.elements.lat.value = coords.latitude;
  form.elements.accuracy_m.value = coords.accuracy;
  said.textContent = `${said.dataset.fix} ±${Math.round(coords.accuracy)} m`;
  const here = new URL(location.href);
  if (form.querySelector("[data-wait]") && !here.searchParams.has("lon")) {
    here.searchParams.set("lon", coords.longitude);
    here.searchParams.set("lat", coords.latitude);
    location.replace(here);
  }
};
if (navigator.geolocation) {
  navigator.geolocation.getCurrentPosition(take, give,
    { enableHighAccuracy: true, timeout: 20000, maximumAge: 0 });
} else {
  give();
}
