/* Point at the plate. When the camera shows nothing: a still photo, the number, or a pick. */

import { arrive, fromText } from "../arrival.js";
import { button, el, icon, tell } from "../page.js";
import { prepare, readStill, Watch } from "../scanner.js";
import { t } from "../words.js";

const TROUBLE = {
  denied: "相机没有授权。请在浏览器设置里允许相机，或用下面的办法。", absent: "没有找到相机，请用下面的办法。",
  busy: "相机被别的程序占用，请关掉它再试，或用下面的办法。", silent: "相机打开了但没有画面。请用下面的办法，或换手机自带的浏览器。",
  unsupported: "这个浏览器不能在网页里用相机，请用下面的办法。", failed: "相机打不开，请用下面的办法。", ended: "相机被系统关闭，请重试或用下面的办法。",
};

export default async function scan(_rest, { go }) {
  const video = el("video", { playsinline: true, muted: true, autoplay: true, "aria-label": t("相机画面") });
  const hint = el("p.hint", { role: "status" }, t("对准门口的码牌"));
  const tools = el("div.tools", {});
  let last = "", lastAt = 0;

  const found = async (texts, evidence) => {
    const [text] = texts;
    // The same wrong symbol is explained once, not nine times a second.
    if (text === last && Date.now() - lastAt < 4000) return;
    last = text;
    lastAt = Date.now();
    const result = await fromText(text, "scan");
    if (result.arrival) {
      watch.stop();
      navigator.vibrate?.(60);
      await arrive(result.stop, result.arrival, evidence);
      go(`visit/${result.stop.storefront_id}`);
    } else {
      hint.textContent = result.why;
      hint.className = "hint bad";
    }
  };
  const trouble = (code) => { hint.textContent = t(TROUBLE[code]); hint.className = "hint bad"; };
  const ready = ({ torch, zoom }) => {
    if (torch) {
      let on = false;
      tools.append(button(t("照明"), (event) => { on = !on; watch.torch(on); event.currentTarget.setAttribute("aria-pressed", String(on)); }, { name: "bulb", "aria-pressed": "false" }));
    }
    if (zoom) tools.append(el("label.zoom", {}, icon("zoom-in"), el("input", { type: "range", min: String(zoom.min), max: String(Math.min(zoom.max, 5)), step: "0.1", value: String(zoom.min), "aria-label": t("放大画面"), oninput: (event) => watch.zoom(Number(event.target.value)) })));
  };
  const watch = new Watch(video, { found, trouble, ready });
  const still = el("input", { type: "file", accept: "image/*", capture: "environment", hidden: true, onchange: async () => {
    const [file] = still.files;
    still.value = "";
    if (!file) return;
    hint.textContent = t("正在读照片…");
    try {
      const { texts, evidence } = await readStill(file);
      if (texts.length) { last = ""; await found(texts, evidence); } else trouble2(t("照片里没有读到码。靠近一点、对正再拍，或输编号。"));
    } catch { trouble2(t("这张照片打不开，请重拍。")); }
  } });
  const trouble2 = (text) => { hint.textContent = text; hint.className = "hint bad"; };
  prepare().catch(() => tell(t("扫码部件没有装好，请联网打开一次本页；现在可以输编号。"), "bad"));
  return {
    title: t("扫码打卡"), sub: "", back: "", wide: true, shown: () => watch.start(), leave: () => watch.stop(),
    nodes: [
      el("div.finder", {}, video, el("div.frame", { "aria-hidden": "true" })), hint, tools, still,
      el("div.stack", {}, button(t("拍一张码牌照片"), () => still.click(), { name: "camera" }),
        el("a.soft", { href: "#/number" }, icon("keyboard"), " ", t("输编号")),
        el("a.soft", { href: "#/near" }, icon("map-pin"), " ", t("牌坏了/没有牌"))),
    ],
  };
}
