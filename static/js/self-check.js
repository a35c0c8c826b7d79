/* Comfort only: without script the forms work the same. A draft of the words stays on the phone
   until a page shows that it was filed: sending can fail on a phone that believes it has network. */
(() => {
  const told = document.querySelector("[data-offline]");
  const show = () => { if (told) told.hidden = navigator.onLine; };
  window.addEventListener("online", show);
  window.addEventListener("offline", show);
  show();
  try {
    const filed = document.querySelector("[data-filed]")?.dataset.filed || "";
    for (const id of filed.split(" ")) localStorage.removeItem(`self-check-${id}`);
  } catch { /* private mode keeps nothing */ }
  for (const form of document.querySelectorAll("form[data-draft]")) {
    const key = `self-check-${form.dataset.draft}`;
    const fields = [...form.elements].filter((one) => one.name && !["hidden", "file"].includes(one.type));
    // A slow phone lets people type before this runs: what they typed is theirs, and is kept too.
    const touched = (one) => (one.type === "radio" ? one.checked !== one.defaultChecked : "defaultValue" in one && one.value !== one.defaultValue);
    const early = fields.filter(touched);
    const keep = () => {
      const said = {};
      for (const one of fields) if (one.type !== "radio" || one.checked) said[one.name] = one.value;
      try { localStorage.setItem(key, JSON.stringify(said)); } catch { /* full or private */ }
    };
    try {
      const kept = JSON.parse(localStorage.getItem(key) || "null");
      for (const one of kept ? fields.filter((one) => !early.some((other) => other.name === one.name)) : []) {
        if (one.type === "radio") one.checked = kept[one.name] === one.value;
        else if (one.name in kept) one.value = kept[one.name];
      }
    } catch { /* private mode keeps nothing */ }
    if (early.length) keep();
    form.addEventListener("input", keep);
    form.addEventListener("submit", (event) => {
      if (!navigator.onLine) { event.preventDefault(); show(); if (told) told.scrollIntoView(); return; }
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
      form.querySelector("button")?.setAttribute("aria-busy", "true");
    });
    window.addEventListener("pageshow", () => { delete form.dataset.sent; form.querySelector("button")?.removeAttribute("aria-busy"); });
  }
})();
