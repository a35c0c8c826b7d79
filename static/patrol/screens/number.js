/* The number printed on the plate, typed by hand. */

import { arrive, fromText } from "../arrival.js";
import { el, field } from "../page.js";
import { t } from "../words.js";

export default async function number(_rest, { go }) {
  const input = el("input", { type: "text", name: "number", autocomplete: "off", autocapitalize: "characters", enterkeyhint: "go", required: true, maxlength: "80" });
  const why = el("p.why", { role: "alert" });
  const form = el("form", { onsubmit: async (event) => {
    event.preventDefault();
    const result = await fromText(input.value, "typed");
    if (!result.arrival) { why.textContent = result.why; input.select(); return; }
    await arrive(result.stop, result.arrival);
    go(`visit/${result.stop.storefront_id}`);
  } }, field(t("牌上的编号"), input, t("在二维码下方，如 LSL-527-1 或 WF-000052；也可输整串码")), why,
  el("button.main", { type: "submit" }, t("打卡")), el("a.soft", { href: "#/near" }, t("牌坏了/没有牌")));
  return { title: t("输编号"), sub: "", back: "", nodes: [el("section.card", {}, form)], shown: () => input.focus() };
}
