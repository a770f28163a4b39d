"""What holds for all texts: generated quantities convert, spans partition, nothing crashes, tokens keep their times."""

import datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from uniasr.text import Normalized, align_tokens, itn, tn
from uniasr.types import Token

# An independent reading of values: written from the rules of the language, with none of the package's code.

FEW = settings(max_examples=40, deadline=None)
KANJI = "零一二三四五六七八九"


def below_ten_thousand(number):
    parts = ""
    for power, unit in ((3, "千"), (2, "百"), (1, "十"), (0, "")):
        digit = number // 10**power % 10
        if digit:
            parts += (KANJI[digit] if digit > 1 or not unit else "") + unit
    return parts


def read(number):
    if number == 0:
        return "零"
    parts = ""
    for power, unit in ((16, "京"), (12, "兆"), (8, "億"), (4, "万"), (0, "")):
        group = number // 10**power % 10_000
        if group:
            parts += (below_ten_thousand(group) if unit in ("", "万") or group != 1000 else "一千") + unit
    return parts


def write(number):
    """The convention of the output: plain digits below ten thousand, groups of them with 万 億 兆 京 above."""
    if number < 10_000:
        return str(number)
    groups = (
        (number // 10**power % 10_000, unit) for power, unit in ((16, "京"), (12, "兆"), (8, "億"), (4, "万"), (0, ""))
    )
    return "".join(f"{group}{unit}" for group, unit in groups if group)


def digit_string(digits, zero="〇"):
    return "".join(zero if digit == "0" else KANJI[int(digit)] for digit in digits)


NUMBERS = st.one_of(st.integers(2, 99), st.integers(2, 99_999), st.integers(2, 10**17))
ZEROS = st.sampled_from(["〇", "零", "ゼロ"])
DATES = st.dates(datetime.date(1000, 1, 1), datetime.date(2999, 12, 31))


def digits(count):
    return st.text("0123456789", min_size=count, max_size=count)


@FEW
@given(NUMBERS, st.sampled_from(["{}", "合計は{}です", "残り{}を超えた", "その数は{}。", "{}、", "約{}に達した"]))
def test_whole_numbers(number, carrier):
    assert itn(carrier.format(read(number))) == carrier.format(write(number))


@given(
    NUMBERS,
    st.sampled_from(["円", "ドル", "ユーロ", "元"]),
    st.sampled_from(["{}です", "{}を払う", "代金は{}になる", "{}"]),
)
def test_money(number, currency, carrier):
    assert itn(carrier.format(read(number) + currency)) == carrier.format(write(number) + currency)


@FEW
@given(DATES, st.sampled_from(["{}に会う", "締切は{}です", "{}から始まる"]), ZEROS)
def test_dates(date, carrier, zero):
    written = carrier.format(f"{date.year}年{date.month}月{date.day}日")
    rest = f"{read(date.month)}月{read(date.day)}日"
    assert itn(carrier.format(f"{read(date.year)}年{rest}")) == written
    assert itn(carrier.format(f"{digit_string(str(date.year), zero)}年{rest}")) == written


@given(
    st.sampled_from(["明治", "大正", "昭和", "平成", "令和"]),
    st.integers(2, 64),
    st.integers(1, 12),
    st.integers(1, 28),
)
def test_dates_in_eras(era, year, month, day):
    assert itn(f"{era}{read(year)}年{read(month)}月{read(day)}日の記録") == f"{era}{year}年{month}月{day}日の記録"


@FEW
@given(st.integers(0, 24), st.integers(1, 59), st.sampled_from(["{}に着く", "出発は{}です"]))
def test_times(hour, minute, carrier):
    assert itn(carrier.format(f"{read(hour)}時{read(minute)}分")) == carrier.format(f"{hour}時{minute}分")


PHONES = st.one_of(
    st.tuples(st.sampled_from(["03", "06"]), digits(4), digits(4)),
    st.tuples(st.sampled_from(["045", "052", "092"]), digits(3), digits(4)),
    st.tuples(st.sampled_from(["090", "080", "070", "050"]), digits(4), digits(4)),
    st.tuples(st.just("0120"), digits(3), digits(3)),
)


@FEW
@given(PHONES, ZEROS, st.sampled_from(["番号は{}です", "{}", "{}に電話する", "{}まで"]))
def test_telephone_numbers(groups, zero, carrier):
    joined, plain = "の".join(digit_string(group, zero) for group in groups), digit_string("".join(groups), zero)
    assert itn(carrier.format(joined)) == carrier.format("-".join(groups))
    assert itn(carrier.format(plain)) == carrier.format("".join(groups))


@FEW
@given(digits(3), digits(4), ZEROS)
def test_postal_codes(first, second, zero):
    spoken = f"{digit_string(first, zero)}の{digit_string(second, zero)}"
    assert itn(f"郵便番号は{spoken}です") == f"郵便番号は{first}-{second}です"


@FEW
@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 40))
def test_house_numbers(block, lot, house):
    spoken = [read(number) for number in (block, lot, house)]
    assert itn("港区芝{}丁目{}番{}号です".format(*spoken)) == f"港区芝{block}丁目{lot}番{house}号です"
    assert itn("港区芝{}の{}の{}です".format(*spoken)) == f"港区芝{block}-{lot}-{house}です"


@FEW
@given(st.integers(0, 99_999), digits(2), st.sampled_from(["パーセント", "倍", "度", "メートル", "秒"]))
def test_decimals(whole, part, unit):
    symbols = {"パーセント": "%", "メートル": "m"}
    spoken = f"{read(whole)}点{digit_string(part)}{unit}"
    written = f"{whole}.{part}{symbols.get(unit, unit)}"
    assert itn(f"値は{spoken}だった") == f"値は{written}だった"
    assert itn(f"平均{spoken}") == f"平均{written}"


@FEW
@given(st.integers(2, 999), st.integers(1, 999))
def test_fractions(below, above):
    assert itn(f"全体の{read(below)}分の{read(above)}になる") == f"全体の{above}/{below}になる"


COUNTERS = [
    *(
        "個",
        "冊",
        "枚",
        "台",
        "回",
        "階",
        "件",
        "歳",
        "位",
        "か月",
        "週間",
        "時間",
        "分間",
        "秒",
        "ページ",
        "種類",
        "か国",
    ),
    *("世帯", "号室", "番線", "丁目", "回目", "番目", "例目", "営業日", "グループ", "チャンネル", "引き分け", "親等"),
]


@FEW
@given(st.integers(1, 9999), st.sampled_from(COUNTERS))
def test_counters(number, counter):
    assert itn(f"これは{read(number)}{counter}です") == f"これは{number}{counter}です"


# The same in kana

ONES = ["", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう"]
CHANGED = {
    "さんひゃく": "さんびゃく",
    "ろくひゃく": "ろっぴゃく",
    "はちひゃく": "はっぴゃく",
    "さんせん": "さんぜん",
    "はちせん": "はっせん",
}


def kana(number):
    parts = []
    for power, large in ((8, "おく"), (4, "まん"), (0, "")):
        group, part = number // 10**power % 10_000, ""
        for exponent, unit in ((3, "せん"), (2, "ひゃく"), (1, "じゅう"), (0, "")):
            digit = group // 10**exponent % 10
            if digit:
                one = "" if digit == 1 and unit else ONES[digit]
                part += CHANGED.get(one + unit, one + unit)
        parts.append(part + large if part else "")
    return "".join(parts)


SPELLINGS = st.sampled_from(
    [str, lambda text: text.translate({c: c + 0x60 for c in range(ord("ぁ"), ord("ゖ") + 1)}).replace("ュウ", "ュー")]
)


@FEW
@given(
    st.integers(11, 10**9),
    st.sampled_from([("えん", "円"), ("にん", "人"), ("まい", "枚"), ("めーとる", "m")]),
    SPELLINGS,
)
def test_amounts_in_kana(number, counter, spelled):
    reading, unit = counter
    if len(read(number)) == 1 and unit in ("人", "枚"):
        return  # せんにん may be a hermit
    assert itn(spelled(kana(number) + reading)) == f"{write(number)}{unit}"


@FEW
@given(st.integers(1, 12), st.integers(11, 59), SPELLINGS)
def test_times_in_kana(hour, minute, spelled):
    hours = ["", "いち", "に", "さん", "よ", "ご", "ろく", "しち", "はち", "く", "じゅう", "じゅういち", "じゅうに"]
    tens, ones = (
        kana(minute // 10 * 10),
        ["", "いっ", "に", "さん", "よん", "ご", "ろっ", "なな", "はっ", "きゅう"][minute % 10],
    )
    if not ones:
        tens = tens.removesuffix("う") + "っ"
    minutes = tens + ones + ("ふん" if minute % 10 in (2, 5, 7, 9) else "ぷん")
    assert itn(spelled(f"{hours[hour]}じ{minutes}")) == f"{hour}時{minute}分"


# Back and forth


@FEW
@given(NUMBERS, st.sampled_from(["円", "人", "個", "年", "%", "km", "度"]))
def test_tn_reads_what_itn_writes(number, unit):
    written = f"約{write(number)}{unit}です"
    spoken = tn(written)
    assert spoken == f"約{read(number)}{ {'%': 'パーセント', 'km': 'キロメートル'}.get(unit, unit) }です"
    # 一人 and 二人 are words of their own and mostly stay.
    assert itn(spoken) == (spoken if unit == "人" and number in (1, 2) else written)


@FEW
@given(DATES, st.integers(0, 23), st.integers(1, 59), NUMBERS, digits(2), PHONES)
def test_what_itn_writes_reads_as_it_was_spoken(date, hour, minute, number, part, phone):
    day = f"{read(date.year)}年{read(date.month)}月{read(date.day)}日"
    for spoken in (
        f"次は{day}午後{read(hour)}時{read(minute)}分からです",
        f"代金は{read(number)}円で税は{read(minute)}パーセントです",
        f"長さ{read(hour)}点{digit_string(part, '零')}キロメートルの{read(minute + 1)}分の{read(hour + 1)}",
        f"番号は{'の'.join(digit_string(group, '零') for group in phone)}です",
    ):
        assert tn(itn(spoken)) == spoken


# Spans and fuzz

PIECES = st.one_of(
    st.sampled_from("一二三十百千万億〇零点の第数月日年時半円人本番123.,/:-¥$%℃½㎞Ⅱ²〜()火㏠\u3099😀\x00"),
    st.sampled_from(
        ["ゼロ", "分の", "一番", "から", "マイナス", "プラス", "イコール", "いち", "に", "さん", "じゅう", "じ", "ふん"]
    ),
    st.sampled_from(["エー", "アットマーク", "ドット", "コム", "23", "R5", "km", "m²"]),
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=14).map("".join))


def check_partition(result: Normalized):
    source_at = at = 0
    for span in result.spans:
        assert (span.source_start, span.start) == (source_at, at)
        assert span.source_end > span.source_start or span.end > span.start
        source_at, at = span.source_end, span.end
        same = result.source[span.source_start : span.source_end] == result.text[span.start : span.end]
        assert same == (span.kind == "literal")
    assert (source_at, at) == (len(result.source), len(result.text))


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.sampled_from([itn, tn]))
def test_any_text_converts_and_its_spans_partition_both_sides(text, convert):
    result = convert(text, spans=True)
    assert result.source == text
    check_partition(result)
    assert convert(text) == result.text


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=30), st.text("영일이삼십백천만억조점년월일시분반원개명 과의한두", max_size=16)))
def test_korean_too(text):
    check_partition(itn(text, "ko", spans=True))


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.dictionaries(st.text("一二三月日円a ", min_size=1, max_size=3), st.text(max_size=3), max_size=3))
def test_whitelists_too(text, whitelist):
    check_partition(itn(text, whitelist=whitelist, spans=True))


# Tokens


@st.composite
def spoken_tokens(draw):
    """A text cut anywhere into tokens with times that do not go back."""
    text = draw(st.one_of(TEXTS, st.sampled_from(["会議は二〇二三年四月一日の十時三十分から", "三分の二で五百円"])))
    cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=12))})
    tokens, at = [], 0
    for first, last in pairwise(cuts):
        start = at + draw(st.integers(0, 50))
        at = start + draw(st.integers(0, 200))
        tokens.append(Token(text[first:last], len(tokens), start, at, draw(st.floats(0, 1))))
    return text, tokens


@settings(max_examples=100, deadline=None)
@given(spoken_tokens(), st.sampled_from([itn, tn]))
def test_tokens_keep_their_times(spoken, convert):
    text, tokens = spoken
    result = convert(text, spans=True)
    aligned = align_tokens(tokens, result)
    assert "".join(token.text for token in aligned) == result.text
    edges = [edge for token in aligned for edge in (token.start_ms, token.end_ms)]
    assert edges == sorted(edges)
    assert not aligned or (tokens[0].start_ms <= edges[0] and edges[-1] <= tokens[-1].end_ms)
    kept = {token.id: token for token in tokens}
    for token in aligned:
        if token.id >= 0:
            assert token == kept[token.id]
    assert {token.confidence for token in aligned} <= {token.confidence for token in tokens}
