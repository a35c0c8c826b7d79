"""What was taken, changed and refused, and why: for a person and for a program. *Pure.*"""

from collections import Counter
from collections.abc import Callable
from dataclasses import InitVar, asdict, dataclass, field
from typing import Any

MOST_LISTED = 500  # all are counted, the first ones are told

REASONS: dict[str, tuple[str, str]] = {
    "empty": ("没有位置", "no place"),
    "not_finite": ("坐标不是数字", "a coordinate is not a number"),
    "out_of_range": ("坐标超出经纬度范围", "coordinates are out of range"),
    "too_many_vertices": ("顶点过多", "too many vertices"),
    "wrong_shape": ("几何类型不适用", "the wrong kind of shape"),
    "outside": ("不在本街镇范围内", "outside this sub-district"),
    "too_short": ("短于 20 米", "shorter than 20 m"),
    "duplicate_id": ("编号在文件中重复", "the id occurs twice in the file"),
    "no_name": ("没有名称", "no name"),
    "too_long": ("文字过长", "the text is too long"),
    "elsewhere": (
        "名称和代码都不是本街镇的（若就是本街镇，请改文件里的名称或代码）",
        "neither name nor code is of this sub-district (if it is, correct them in the file)",
    ),
    "not_a_number": ("经纬度不是数字", "longitude or latitude is not a number"),
    "bad_wkt": ("WKT 无法解析", "the WKT cannot be read"),
}
# Fields of ours in problems; all other names are columns of the file.
FIELDS: dict[str, tuple[str, str]] = {
    "geometry": ("位置", "place"),
    "id": ("编号", "id"),
    "name": ("名称", "name"),
}
NOTES: dict[str, tuple[str, str]] = {
    "height_dropped": ("已去掉高程", "height was dropped"),
    "axes_swapped": ("经纬度颠倒，已对调", "axes were swapped and turned back"),
    "self_crossing_mended": ("自相交已修复", "self-crossing was mended"),
    "title_skipped": (
        "表头上面的标题行已跳过",
        "lines of a title above the headings were skipped",
    ),
    "no_crs": ("文件没有坐标系说明，按经纬度处理", "no CRS, taken as degrees"),
    "reprojected": ("已转换为经纬度", "reprojected to degrees"),
    "more_layers": ("文件有多个图层，只取第一个", "several layers: only the first is taken"),
    "more_sheets": (
        "工作簿有几张有内容的工作表，只取第一张",
        "several sheets with rows: only the first is taken",
    ),
    "unsaved_formulas": (
        "公式没有保存结果，按空白处理；请用 Excel 或 WPS 打开并保存后再导入",
        "formulas without a saved result count as empty: open and save it in Excel or WPS first",
    ),
    "long_numbers": (
        "编号等长数字被表格存成了数值，只剩前 15 位，无法恢复；请把该列设为“文本”后重新填写",
        "long numbers kept as figures have their first 15 digits alone, for good: "
        "make the column text and enter them again",
    ),
    "door_dates": (
        "门牌号像是被表格改成了日期（如 5-12 变成 5 月 12 日），请核对并把该列设为“文本”",
        "house numbers look like dates made by the spreadsheet (5-12 became 12 May): "
        "check them and make the column text",
    ),
    "made_ids": ("没有编号，按位置和名称生成", "no ids: made from place and name"),
    "unplaced": ("附近没有路段，未对应到路段", "no segment near: not placed on one"),
    "from_outline": ("由建筑轮廓取得门面", "door taken from the building's outline"),
    "zones_laid": ("已计算门面和责任区", "fronts and duty zones computed"),
    "unnamed": ("没有路名，未取用", "roads without a name were left out"),
}
TRIED = ("试运行：没有写入任何数据", "dry run: nothing was written")
# Sources that are ours and no file.
SOURCES: dict[str, tuple[str, str]] = {
    "register": ("人工登记", "entered by hand"),
    "seed": ("演示数据", "the demo"),
}


@dataclass(frozen=True)
class Problem:
    """One refused row: where a person finds it, and what is wrong."""

    line: int
    field: str
    value: str
    reason: str

    def say(self, language: str) -> str:
        words = REASONS.get(self.reason, (self.reason, self.reason))[0 if language == "zh" else 1]
        shown = f"“{self.value}”" if self.value else ""
        where = (f"第 {self.line} 行 ", f"line {self.line} ") if self.line else ("", "")
        named = FIELDS.get(self.field, (self.field, self.field))
        if language == "zh":
            return f"{where[0]}{named[0]}{shown}：{words}"
        return f"{where[1]}{named[1]} {shown}: {words}"


@dataclass
class Report:
    """The outcome of one import."""

    what: str
    file: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    mapping: dict[str, str] = field(default_factory=dict)
    encoding: str | None = None
    datum: dict[str, str] = field(default_factory=dict)
    doubtful_datum: bool = False
    twins: Counter[str] = field(default_factory=Counter)
    dry_run: bool = False
    interrupted: bool = False
    keep: InitVar[Callable[[Problem], object] | None] = None  # hears of every refused row

    def __post_init__(self, keep: Callable[[Problem], object] | None) -> None:
        self._keep = keep

    def refuse(self, problem: Problem) -> None:
        if self._keep is not None:
            self._keep(problem)
        self.refused += 1
        self.reasons[problem.reason] += 1
        if len(self.problems) < MOST_LISTED:
            self.problems.append(problem)

    @property
    def good(self) -> int:
        return self.added + self.changed + self.unchanged

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        found["reasons"], found["notes"] = dict(self.reasons), dict(self.notes)
        found["twins"] = dict(self.twins)
        return found

    def _sum_up(self, chinese: bool) -> str:
        """One line of figures. Rows of a road file become one road a name, and are so counted."""
        roads = self.what == "roads"
        if chinese:
            per = "（按路名合并成条）" if roads else ""
            return (
                f"{self.file}：共 {self.rows} 行{per}，新增 {self.added}，更新 {self.changed}，"
                f"未变 {self.unchanged}，拒绝 {self.refused}"
            )
        per = " (one road a name)" if roads else ""
        return (
            f"{self.file}: {self.rows} rows{per}, {self.added} added, {self.changed} changed, "
            f"{self.unchanged} unchanged, {self.refused} refused"
        )

    def _tell_twins(self, chinese: bool) -> list[str]:
        """What stands there already under another source's name, the most first."""
        alike = ("同名道路", "roads of the same name")
        if self.what == "storefronts":
            alike = ("同名同位置的铺位", "storefronts of the same name and place")
        told = []
        for source, count in self.twins.most_common(3):
            named = SOURCES.get(source, (source, source))[0 if chinese else 1]
            told.append(
                f"⚠ 来源“{named}”里已有至少 {count} 条{alike[0]}：同一批数据请用同一个来源名称，"
                "否则会重复"
                if chinese
                else f'⚠ at least {count} {alike[1]} are here from the source "{named}": give the '
                "same data the same name of source, or they will stand twice"
            )
        return told

    def lines(self, language: str) -> list[str]:
        """Plain lines, the most telling first."""
        chinese = language == "zh"
        said = [self._sum_up(chinese)]
        if not self.rows:
            said.append("文件里没有可取的行" if chinese else "the file has no rows to take")
        if self.notes["unplaced"] and self.notes["unplaced"] >= self.good:
            said.append(
                "⚠ 所有铺位附近都没有路段：请核对坐标系和街镇，或先导入道路"
                if chinese
                else "⚠ no segment near any of them: check the datum and the sub-district, "
                "or import roads first"
            )
        said += self._tell_twins(chinese)
        if self.dry_run:
            said.append(TRIED[0 if chinese else 1])
        if self.interrupted:
            said.append(
                "已中断，重新运行会从断点继续" if chinese else "interrupted; run again to go on"
            )
        if self.datum:
            said.append(
                ("⚠ " if self.doubtful_datum else "") + self.datum["zh" if chinese else "en"]
            )
        index, colon = (0, "：") if chinese else (1, ": ")
        said += [
            f"{NOTES.get(name, (name, name))[index]}{colon}{count}"
            for name, count in self.notes.items()
            if count
        ]
        said += [
            f"{REASONS.get(name, (name, name))[index]}{colon}{count}"
            for name, count in self.reasons.most_common()
        ]
        return said
