/* The person, the phone, the language and the size of type; and signing out, once nothing waits. */

import { day, EDITION, fetchShift } from "../day.js";
import * as outbox from "../outbox.js";
import { button, card, el, tell } from "../page.js";
import { offset } from "../timing.js";
import { choose, chooseType, language, largeType, t } from "../words.js";

export default async function me(_rest, { go, refresh }) {
  const waits = await outbox.waiting(day.person?.id);
  const clock = offset();
  const firm = await navigator.storage?.persisted?.().catch(() => false);
  const signOut = async () => {
    const now = await outbox.waiting(day.person?.id);
    if (now.count) return go("queue/sign-out");
    // The house's own page asks for the token that belongs to this session.
    location.href = "/account";
    return undefined;
  };
  const update = async (event) => {
    event.currentTarget.setAttribute("aria-busy", "true");
    const answer = await fetchShift(day.shift.shift.id);
    tell(answer.kind === "ok" ? t("班次已更新") : t("没有网络，仍用手机上的班次"), answer.kind === "ok" ? "ok" : "warn");
    refresh();
  };
  return {
    title: t("我的"), sub: day.person?.name || "", back: "",
    nodes: [
      card(day.person?.name || t("未登录"), el("dl.facts", {}, el("dt", {}, t("未同步")), el("dd", {}, t("{n} 条", { n: waits.count })), el("dt", {}, t("手机时间")), el("dd", {}, clock ? t("比服务器{way} {s} 秒（±{u} 秒）", { way: clock.offset_ms < 0 ? t("快") : t("慢"), s: (Math.abs(clock.offset_ms) / 1000).toFixed(1), u: (clock.uncertainty_ms / 1000).toFixed(1) }) : t("还没有核对")), el("dt", {}, t("存储")), el("dd", {}, firm ? t("系统已答应不自动清理。") : t("可能被系统清理，请添加到主屏幕")), el("dt", {}, t("版本")), el("dd", {}, EDITION))),
      el("div.stack", {},
        day.shift ? button(t("更新班次和码牌名单"), update, { name: "refresh" }) : null,
        button(language() === "zh" ? "English" : "中文", () => { choose(language() === "zh" ? "en" : "zh"); refresh(); }, { name: "language" }),
        button(largeType() ? t("标准字号") : t("大字版"), () => { chooseType(!largeType()); refresh(); }, { name: "text-size" }),
        day.signedIn || day.line !== "online" ? button(t("退出登录"), signOut, { name: "logout" }) : el("a.main", { href: "/sign-in?next=/patrol/" }, t("登录")),
        el("a.soft", { href: "/privacy" }, t("个人信息说明"))),
      day.phone ? card(null, el("p", {}, t("服务电话"), " ", el("a", { href: `tel:${day.phone}` }, day.phone))) : null,
    ],
  };
}
