"""When does a numeral count? Decisions from the characters on both sides of a number.

`before` is the text that ends where the number starts, `after` the text that starts where it (or its unit) ends.
"""

from __future__ import annotations

import re

from uniasr.text.normalization.japanese.numbers import Number
from uniasr.text.normalization.japanese.numerals import NUMERALS
from uniasr.text.normalization.japanese.units import Unit

_N = f"[{NUMERALS}]"
_MARK = r"[、。，．,.！？!?…「」『』（）()\[\]【】〜~～：:;；\s]"
_END = rf"(?:$|{_MARK})"

_PARTICLE = re.compile(
    rf"(?:{_END}|[をのがはにでともへ]|から|まで|だけ|ずつ|しか|ほど|くらい|ぐらい|です|でし|だっ|だ{_END}|だと|あたり|につき|ください|"
    r"あ[るっり]|残[っりる]|必要|見つか|売[っれり]|下さい|お願い|以上|以内|以下|未満|程度|前後|分[をのがはに]|半|弱|強|頼|注文|飲|食べ|買|追加|減|増|足り|余|入)"
    rf"|{_N}+円"
)
"""What may follow a counter after 一: so 一本の, 一杯ください are counts, 一本道 is a word."""

_BARE = re.compile(
    rf"(?:{_END}|[をのがはにでともへか]|から|まで|だけ|しか|ほど|くらい|ぐらい|より|や|です|でし|だ|じゃ|って|という|といっ|となっ|"
    r"ちょうど|以上|以下|以外|未満|以内|程度|前後|過ぎ|すぎ|余|超|弱|強|近|[大小]さじ|台|突破|均一|増|減|引|達|連|勤|対|点|年|名|未|足らず|あまり|など|なら|ぴったり|あ[るっりれ]|残[っりる]|必要|"
    rf"な[のん]|みたい|らし[いくか]|ずつ|っす|けど|[ねよさ](?:{_END}|ー))"
)
"""What may follow a number of several numerals without a unit."""

_BARE_SINGLE = re.compile(
    rf"(?:{_END}|です|でし|だ(?:っ|{_END}|と)|から(?!{_N}*つ)|まで|になる|にな[っり]|では|じゃ|という|って|など|あまり|近く|しかな|かもしれ|以上|以下|未満|"
    r"に(?:達|変|設定|し[たてま]|する)|くらい|ぐらい|"
    r"を[足引掛割かたひわ超]|が出|点|対|か[" + NUMERALS + r"]|や[" + NUMERALS + r"]|より(?:大|小|多|少)|[はがも](?!つ)|"
    rf"で[^{NUMERALS}、。]{{1,8}}[がは]{_N}+(?:で[すし]|だ|{_END}))"
)
"""What may follow a single numeral without a unit; の and と are left out (二の足, 三の丸)."""

_OPERATOR = "(?:たす|足す|ひく|引く|かける|掛ける|カケル|わる|割る|ワル|プラス|マイナス|イコール)"
_SERIES = "(?:から|まで|[〜~～、・とか]|(?:ないし|または)、?|対)"
_CALCULATED = re.compile(
    rf"(?:{_OPERATOR}|対)(?:マイナス)?{_N}|[のを]{_N}+[乗倍]|に{_N}+を|"
    rf"を{_N}+(?:で(?:割|わ[っりるれ])|回(?:掛|かけ|足|た[すし]|引|ひ[いく]))|と{_N}+分の|で[割掛]|"
    rf"を(?:押|プッシュ|ダイヤル|入力|代入|選)|と(?:答え|入力|回答|表示)|の(?:階乗|倍数|約数|平方根|立方根|逆数|累乗)|の(?:次|前|うち、?)は?{_N}+(?:[はがもを]|です|だ|$)"
)
"""What shows a number to be one, 一 included: it is calculated with, pressed, entered."""
_BOUNDS = re.compile(rf"(?:から|ないし、?|[〜~～]){_N}|か{_N}か|以上|以下|未満|を(?:超え|上回|下回)")
"""What 一 needs: it begins a range, or bounds one."""
_ONE_OR_TWO = re.compile(r"[、・]二(?:[年月日人個回度時分秒枚本冊台位階週歳番]|か月|ヶ月|カ月)")
_OPERATED = re.compile(rf"{_OPERATOR}$")
_CALCULATED_BEFORE = re.compile(rf"{_N}(?:{_OPERATOR}|対)$")
_BIT = re.compile(rf"[かとや](?:[零〇一](?![{NUMERALS}つ])|ゼロ(?![ァ-ヴー]))")
_BIT_BEFORE = re.compile("(?:[零〇一]|ゼロ)[かとや]$")
"""Zero and one beside each other are numbers, 一 included."""
_COUNTED = re.compile(rf"{_SERIES}(?:マイナス)?{_N}")
_COUNTED_BEFORE = re.compile(rf"(?:{_N}[^{NUMERALS}]{{0,3}}|ゼロ){_SERIES}$")
"""What joins a number to the next one, and to the one before."""

_VALUED = re.compile(
    r"(?:震度|背番号|番号|暗証番号|パスワード|コード|レベル|ランク|級|クラス|ナンバー|タイプ|バージョン|ステージ|フェーズ|ベスト|ワースト|"
    r"トップ|残り|合計|平均|定員|倍率|約|およそ|計|のべ|延べ|全部で|全|総勢|満|国道|県道|内線|ページ|チャンネル|マグニチュード|偏差値|室|号|率|"
    r"数字|カウント|目標|図|表|(?<!学)問|案|議題|資料|別紙|付録|条件|質問|例題?|課題|要介護|要支援|残機|注|論点|グラフ|手順|定理|スコア|"
    r"数|値|答え|正解|結果|残高|合わせて|(?<![今来先毎翌])週|得点|失点|勝ち点|自責点|打点|点数|人口|暗証|プラス|マイナス|秒|第|"
    r"三振|盗塁|残塁|四球|死球|犠打|安打|本塁打|ゲーム差|優先度|難易度|評価|項目|段落|音量|参加|出席|欠席|保留|賛成|反対|棄権)[はがもをにの：:]?$"
)
"""Nouns whose value a number is: even a single numeral after them counts."""

_ALWAYS_VALUED = re.compile(
    r"(?:震度|背番号|マグニチュード|レベル|偏差値|気温|湿度|身長|体重|[大小]さじ|[国県府都]道|(?<![A-Za-z])[A-Za-z])$"
)
"""What a number belongs to whatever follows: 震度四津波の心配, A四用紙 (but JR四国)."""
_ADDRESSED = re.compile("(?:番地|丁目|[0-9一二三四五六七八九十]番)の$")
"""What a part of an address follows: 二番地の三に."""
_HALF_OF_PAIR = re.compile(rf"{_N}の$")
_KANJI = re.compile(r"[一-鿿]$")
_CALENDAR = re.compile(r"(?:[月年時約計第日]|午前|午後)$")
_LATIN_OR_KATAKANA = re.compile(r"[A-Za-zァ-ヴー]$")
_LATIN = re.compile(r"[A-Za-z]$")
_LETTER = re.compile(r"[A-Za-z]")
_FOREIGN = re.compile(r"[ァ-ヴ][ァ-ヴー]|[A-Za-z]")
_ONLY_MARKS = re.compile(rf"{_MARK}*")
_KANA_GLUE = re.compile(r"[つ々]|[ッツヶケガノ](?![ァ-ヴー])")

_HOUR_BEFORE = (
    r"(?:午前|午後|(?:昼|夜中|深夜|未明)の|夜|深夜|夜中|真夜中|未明|昼|朝|翌|夕方|今|日の?|曜の?|明日|今日|昨日|毎日)$"
)
_MINUTES = (
    rf"(?:時|{_N}時間|{_N}度|約|徒歩|あと|後|歩いて|車で|駅から|ここから|毎|時間と|ほんの|わずか|残り|遅れて?|プラス|間隔で|のうち|開始|所要時間[はが])$",
    r"(?:間(?!に?合|にあ[わいうえおっ])|後|前|以内|ほど|待|くらい|ぐらい|おき|ごと|かか|掛か|歩|以上|程度|遅|経|休憩|弱|強|置|過|たっ|刻み|ずつ|から|まで|や|早|おいて|"
    r"単位|未満|差(?!別)|の(?:遅れ|休憩|差|距離|延長|昼寝|仮眠|ところ)|で(?:着|行|終|作|でき|読|届|つ|完)|[二三四五六七八九]?秒)",
)
"""Minutes rather than じゅうぶん (enough)."""
_TIME_BEFORE = re.compile(rf"{_N}[分秒](?:から|[かとや]|または|ないし、?)$")
_ENOUGH_BEHIND = re.compile("[にな]")
"""After another time じゅうぶん is minutes, too, unless it says how: 七分から十分, but 三分から十分に加熱."""
_NUMBERED = (
    r"(?:第|丁目|番号)$",
    rf"(?:{_N}+号|を(?:押|選)|ホーム|ホール|出口|乗り場|のりば|窓口|[をは、][^。]{{0,14}}[二三]番(?![目手煎])|打者|バッター|ゲート|コース|テーブル|レジ|くじ|札|館)",
)
"""A number among others rather than いちばん (most) or おはこ (forte)."""
_GUARDS: dict[str, tuple[str, str]] = {
    # a number and its unit -> what must stand before, or after, for them to be a number and a unit
    "一日": (
        r"(?:[月第]|月の|毎月|初日の)$",
        rf"(?:付|号|{_N}+(?:[回度食錠時分杯個本枚円件便歩粒包滴]|キロ|ミリ|リットル|グラム|ページ))",
    ),
    "一時": (
        _HOUR_BEFORE,
        rf"(?:半|{_N}+分|から|まで|頃|ごろ|過ぎ|すぎ|前|ちょうど|集合|開|発|着|出発|スタート|を[回過]|に[^はも])",
    ),
    "十勝": (r"(?!)", rf"(?:{_N}+敗|以上|未満|目|を(?:あげ|挙げ|達成|マーク))"),
    "一番": _NUMBERED,
    "十八番": _NUMBERED,
    "一人": (r"(?!)", r"(?!)"),
    "二人": (rf"{_N}[人、とか〜からまで]+$", r"(?:から|[とか〜、])(?=" + _N + r")"),
    "一杯": (
        r"[大小]さじ$",
        r"(?:の(?!はず)|を|ずつ|だけ|飲|分|目|ください|下さい|おかわり|お願い|[、。]|あたり|いかが)",
    ),
    "十分": _MINUTES,
    "十分間": (r"(?!)", r"(?!に合[わいうえおっ]|にあ[わいうえおっ])"),
    "十二分": (_MINUTES[0], rf"{_MINUTES[1]}|(?![にな])"),  # the adverb is always 十二分に, 十二分な
    **{
        f"{numeral}条": (
            r"(?:[第法北南東西則約]|憲法|民法|刑法|条例)$",
            r"(?:[1一二三四五六七八九]項|の[一二三四五六七八九]+(?:$|項))",
        )
        for numeral in "一二三四五六七八九十"
    },
}
_GUARD_PATTERNS = {key: (re.compile(before), re.compile(after)) for key, (before, after) in _GUARDS.items()}
_FROZEN_BEFORE = re.compile(r"[何0-9０-９]$")
_SEVERAL = re.compile(r"(?<![総件人回点個台枚])[数幾]$")
_ENDS_IN_ONE = re.compile(r"(?:[同統単唯随逐択専]|(?<!平)均|(?<!計)(?<!企)(?<!映)画)$")
"""統一, 唯一, 同一: words whose last character is 一."""
_FROZEN_AFTER = re.compile(r"(?:[々0-9０-９]|数[" + NUMERALS + r"人年回日個枚本名件時か])")


def frozen(run: str, before: str, after: str) -> bool:
    """Whether a run of numerals is part of a word, or of something inexact or mixed: 統一, 数十, 十数人, 3万, 百々."""
    word = run[0] == "一" and _ENDS_IN_ONE.search(before)
    several = _SEVERAL.search(before) and not run.strip("十百千万億兆京")  # not 件数三百二十
    return bool(word or several or _FROZEN_BEFORE.search(before) or _FROZEN_AFTER.match(after))


def accepts_unit(number: Number, unit: Unit, before: str, after: str) -> bool:
    """Whether a number with a unit behind it counts."""
    guard = _GUARD_PATTERNS.get(number.run + unit.spoken)
    if guard is not None:
        return bool(guard[0].search(before) or guard[1].match(after) or _coordinated(unit, before, after))
    if _is_blank(number):
        return False
    if number.shape in ("decimal", "version"):
        return True
    if unit.one == "long":
        return number.shape != "single" or number.run + unit.spoken == "十代"
    if unit.one == "closed":
        return bool(_PARTICLE.match(after))
    if number.run != "一" or unit.one == "always":
        return True
    if unit.one == "tail" and _PARTICLE.match(after):
        return True
    return _coordinated(unit, before, after)


def accepts_bare(number: Number, before: str, after: str) -> bool:
    """Whether a number without a unit counts."""
    if number.shape in ("decimal", "version") or (not before and _ONLY_MARKS.fullmatch(after)):
        return True
    if number.shape == "pair" or _is_blank(number) or _KANA_GLUE.match(after):
        return False
    if _CALCULATED.match(after) or _ONE_OR_TWO.match(after) or _CALCULATED_BEFORE.search(before):
        return True
    free = not _KANJI.search(before)
    if (_BOUNDS if number.run == "一" else _COUNTED).match(after) and (free or _CALENDAR.search(before)):
        return True
    if _ALWAYS_VALUED.search(before) and (number.run != "一" or _BARE.match(after)):
        return True
    valued = bool(_VALUED.search(before) or _ADDRESSED.search(before)) or (
        number.run != "一" and bool(_COUNTED_BEFORE.search(before))
    )
    if number.run in "零〇一" and _is_bit(number, before, after):
        return True
    if number.shape == "single":
        return _accepts_single(number, before, after, valued=valued)
    if number.shape == "digits" and len(number.run) == 2:
        return bool(_BARE.match(after)) and (valued or free)
    if (
        number.shape == "digits"
        or len(number.run) > 3
        or re.search("[百千].*[百十一二三四五六七八九]|[万億兆京]", number.run)
    ):
        return True
    return bool(_BARE.match(after) or _FOREIGN.match(after))


def _accepts_single(number: Number, before: str, after: str, *, valued: bool) -> bool:
    if _LATIN.search(before) and _FOREIGN.match(after):
        return True
    if valued or _LATIN_OR_KATAKANA.search(before):
        return bool(_BARE.match(after) or (_OPERATED.search(before) and _FOREIGN.match(after)))
    if _KANJI.search(before):
        return False
    if number.run == "一" or _HALF_OF_PAIR.search(before):
        return bool(_LETTER.match(after))
    return bool(_BARE_SINGLE.match(after) or _FOREIGN.match(after))


def _is_bit(number: Number, before: str, after: str) -> bool:
    """零か一, 一と零: one beside zero."""
    beside = [found[0] for found in (_BIT_BEFORE.search(before), _BIT.match(after)) if found]
    return any((number.run == "一") != ("一" in text) for text in beside)


def _is_blank(number: Number) -> bool:
    """〇〇駅: something that is not told."""
    return len(number.run) > 1 and not number.run.strip("〇")


def _coordinated(unit: Unit, before: str, after: str) -> bool:
    """Whether another number with the same unit follows, or a time before minutes: 一番から三番まで, 七分から十分."""
    if unit.spoken == "分" and _TIME_BEFORE.search(before) and not _ENOUGH_BEHIND.match(after):
        return True
    return bool(re.match(rf"(?:から|[とかや〜~～、・]|または|および|及び){_N}+{re.escape(unit.spoken)}", after))
