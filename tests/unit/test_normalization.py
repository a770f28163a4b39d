"""ITN and TN: examples of every class, whitelists, spans, tokens with times, languages and their extras."""

import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from types import SimpleNamespace

import pytest

import uniasr
from uniasr.errors import MissingExtraError, OptionError
from uniasr.text import Normalized, Span, align_tokens, itn, tn
from uniasr.text.normalization import LANGUAGES, grammars, read_whitelist
from uniasr.types import Token

OTHERS = Path(__file__).parents[1] / "recorded" / "itn"

WRITTEN = [
    ("座席は四百二十七ある", "座席は427ある"),
    ("貯金が二億三千五十万ある", "貯金が2億3050万ある"),
    ("濃度は零点零八でした", "濃度は0.08でした"),
    ("売上の四割三分", "売上の4割3分"),
    ("七分の二を残す", "2/7を残す"),
    ("去年より十八パーセント多い", "去年より18%多い"),
    ("第十七回の集まり", "第17回の集まり"),
    ("一九七〇年十一月三日", "1970年11月3日"),
    ("昭和五十五年二月一日", "昭和55年2月1日"),
    ("令和元年の夏", "令和元年の夏"),
    ("十月の第三日曜日", "10月の第3日曜日"),
    ("午後一時二十分に出る", "午後1時20分に出る"),
    ("四時間半かかる", "4時間半かかる"),
    ("あと十分待つ", "あと10分待つ"),
    ("十分な量がある", "十分な量がある"),
    ("七百八十円のお釣り", "780円のお釣り"),
    ("五ドル二十セント", "5ドル20セント"),
    ("幅は三メートル五十センチ", "幅は3m50センチ"),
    ("マイナス十二点五度", "-12.5度"),
    ("〇五〇の二二三三の四四五五", "050-2233-4455"),
    ("郵便番号一五〇の〇〇〇二", "郵便番号150-0002"),
    ("南町三の十二の五", "南町3-12-5"),
    ("バージョン四点一二点九", "バージョン4.12.9"),
    ("世田谷三〇〇の五六の七八", "世田谷300の56-78"),
    ("三四人で行く", "3、4人で行く"),
    ("五六十個ある", "5、60個ある"),
    ("数十本と何百回", "数十本と何百回"),
    ("二十数名が来た", "二十数名が来た"),
    ("三対一で負けた", "3対1で負けた"),
    ("八から九割", "8から9割"),
    ("晴れが五で雨が二です", "晴れが5で雨が2です"),
    ("十三駅から十三分", "十三駅から13分"),
    ("六プラス七イコール十三", "6+7=13"),
    ("三たす四は七", "3たす4は7"),
    ("〇〇さんの家", "〇〇さんの家"),
    ("一番から四番まで", "1番から4番まで"),
    ("一番好きな歌", "一番好きな歌"),
    ("一本道を一本の杖で", "一本道を1本の杖で"),
    ("三千人が十人十色に", "3000人が十人十色に"),
    ("五反田で五時に", "五反田で5時に"),
    ("藤原栄三が三日に", "藤原栄三が3日に"),
    # a word that ends in 一, in 数, or holds a unit's name, beside one that does not
    ("平均一点六秒と均一料金", "平均1.6秒と均一料金"),
    ("計画一件と画一的な案", "計画1件と画一的な案"),
    ("件数三百二十の数百件", "件数320の数百件"),
    ("打数四で三安打", "打数4で3安打"),
    ("四半期ごとに第三四半期まで", "四半期ごとに第3四半期まで"),
    ("十勝で十勝三敗", "十勝で10勝3敗"),
    ("新宿三丁目駅と西十八丁目駅", "新宿三丁目駅と西18丁目駅"),
    ("一万田さんと小島一二三選手", "一万田さんと小島一二三選手"),
    ("関東一円で一円も", "関東一円で1円も"),
    # enough or ten minutes, minutes or a fraction, a name or a value, an operand or not
    ("七分から十分歩き三分から十分に焼く", "7分から10分歩き3分から十分に焼く"),
    ("まだ十分間に合うので十分間待つ", "まだ十分間に合うので10分間待つ"),
    ("十五分の二試合と十五分の二個", "15分の2試合と2/15個"),
    ("十一秒四三の四三さん", "11秒43の四三さん"),
    ("二を十一回掛けて三を八倍し一を聞く", "2を11回掛けて3を8倍し一を聞く"),
    ("十のうち九は零か一", "10のうち9は0か1"),
    ("三の倍数と七の階乗", "3の倍数と7の階乗"),
    ("二番地の三に住む", "2番地の3に住む"),
    ("一件一件と一問一問", "一件一件と一問一問"),
    ("番号は六十八なんですけど、四年なので", "番号は68なんですけど、4年なので"),
    ("得点三、失点一で、気温三十湿度四十", "得点3、失点1で、気温30湿度40"),
    ("六の四、七の六で二の丸と三の丸へ", "6-4、7-6で二の丸と三の丸へ"),
    ("解約は一番、変更は二番を押して", "解約は1番、変更は2番を押して"),
    ("一番好きで二番目に好き", "一番好きで2番目に好き"),
    ("パイソン三点十二にして三点二十五倍", "パイソン3.12にして3.25倍"),
    ("ゲームで三点十二人に", "ゲームで3点12人に"),
    ("九・八メートル毎秒毎秒で三グラム毎リットル", "9.8m/s²で3g/L"),
    ("五キロ毎日走って五メートル毎時間", "5キロ毎日走って5m毎時間"),
    ("3万五千円と5千円札", "3万5000円と5千円札"),
    ("3億五千万メートルと2万三千人", "3億5000万mと2万3000人"),
    ("ゼロか一かで、一か二か", "0か1かで、1か2か"),
    ("開始十分で十分な差", "開始10分で十分な差"),
    ("刀が三振りで三振り返った", "刀が3振りで三振り返った"),
    ("布が千切れて二切れ", "布が千切れて2切れ"),
    ("二枚目の俳優が二枚目の紙を", "二枚目の俳優が2枚目の紙を"),
    ("島を一周する道と一周年", "島を一周する道と1周年"),
    ("第二に安全、第二の人生の第二章", "第二に安全、第二の人生の第2章"),
    ("四万十市の四万十人", "四万十市の4万10人"),
    # decimals with a middle dot, but no lists
    ("一分一秒を争う九時一分一秒", "一分一秒を争う9時1分1秒"),
    ("一九八四年八月の八十八番と十八番", "1984年8月の88番と十八番"),
    ("六・一インチで視力一・〇", "6.1インチで視力1.0"),
    ("一・二位と三・四年生", "1・2位と3・4年生"),
    # letters, labels, keys
    ("A三用紙とF一グランプリ", "A3用紙とF1グランプリ"),
    ("H二OとJR四国", "H2OとJR四国"),
    ("図三と表一を", "図3と表1を"),
    ("震度三津波なし", "震度3津波なし"),
    ("一を押して四を入力", "1を押して4を入力"),
    ("一から九までの数字", "1から9までの数字"),
    # what belongs together
    ("西町二丁目一番六号", "西町2丁目1番6号"),
    ("二と四分の三メートル", "2と3/4m"),
    ("二万分の一の地図", "1/20000の地図"),
    ("プラス四四の二〇の七一二三", "+44-20-7123"),
    ("〇六の六一一一の二二二二番", "06-6111-2222番"),
    ("ゼロ三ゼロゼロへ", "0300へ"),
    ("一日二回飲み一日休む", "1日2回飲み一日休む"),
    ("プラスマイナス五度", "±5度"),
    ("二三年四月は二三年前", "23年4月は2、3年前"),
    ("一二月二三日二三時三〇分", "12月23日23時30分"),
    ("大さじ一杯と小さじ一", "大さじ1杯と小さじ1"),
    ("ハチガツフツカノゴゴサンジ", "8月2日ノゴゴ3時"),
    ("ヒャクゴジューエン", "150円"),
    ("それにはんたい", "それにはんたい"),
    ("ごぶんのさんです", "3/5です"),
    ("じぶんのいちにち", "じぶんのいちにち"),
    ("さんたいいちでかつ", "3対1でかつ"),
    ("じゅうたいにあう", "じゅうたいにあう"),
    ("ちはまいなすれいてんはち", "ちは-0.8"),
    ("レイテンシをれいてんごにさげる", "レイテンシを0.5にさげる"),
    ("倍率をニテンゴに、まいなすさんてんいちに近い", "倍率を2.5に、-3.1に近い"),
    ("クイックレイテンシとさんてんごあんない", "クイックレイテンシとさんてんごあんない"),
    ("してんにいく", "してんにいく"),
    ("マジックショーガ", "マジックショーガ"),
    ("イチイチナナバン", "117番"),
    ("ヨネンブリノダイサンショウ", "4年ブリノ第3章"),
    ("ヘイセイニジュウネンのサンチョウメニバンゴゴウ", "ヘイセイ20年の3丁目2番5号"),
    ("エービーアットマークエグザンプルドットコム", "ab@example.com"),
    # numbers of two or three numerals before what says that so many exist
    ("全部で十五ある", "全部で15ある"),
    ("皿が十二残っている", "皿が12残っている"),
    ("あと二十三必要だ", "あと23必要だ"),
    # foreign words whose second character is a long vowel
    ("五バーディーと三オーバー", "5バーディーと3オーバー"),
    ("F一レース", "F1レース"),
    # counters of sports, karats, layers, types
    ("二馬身差の三場所目", "2馬身差の3場所目"),
    ("十八金と三千金", "18金と3000金"),
    ("三層の一層目と一層", "3層の一層目と一層"),
    ("一型糖尿病と二型", "1型糖尿病と2型"),
    ("第一第三木曜日", "第1第3木曜日"),
    ("十二分差", "12分差"),
    ("ルイ十四世の五百系", "ルイ14世の500系"),
    ("東経百三十度十分と温度十分", "東経130度10分と温度十分"),
    ("千本今出川まで百歩譲って五体満足", "千本今出川まで百歩譲って五体満足"),
    ("一時間十分です、八時間十分な睡眠", "1時間10分です、8時間十分な睡眠"),
    ("残りは十二分だ、十二分に休む", "残りは12分だ、十二分に休む"),
    ("要介護三の人が三針縫い五速に", "要介護3の人が3針縫い5速に"),
    ("七里さんと三人衆の三人", "七里さんと三人衆の3人"),
    ("五分刈りで二部合唱を二部", "五分刈りで二部合唱を2部"),
    ("十ないし、十五名", "10ないし、15名"),
    ("昼の一時に一箱三百円", "昼の1時に1箱300円"),
    ("十把一絡げの二二六事件", "十把一絡げの二二六事件"),
]

SPOKEN = [
    ("1,250円", "千二百五十円"),
    ("5m30cmと20m2", "五メートル三十センチメートルと二十平方メートル"),
    ("2kg500gを2024年7/10に", "二キログラム五百グラムを二千二十四年七月十日に"),
    ("¥980と$2.50", "九百八十円と二ドル五十セント"),
    ("2023/11/3(金)", "二千二十三年十一月三日金曜日"),
    ("S55.2.1", "昭和五十五年二月一日"),
    ("午後1:20", "午後一時二十分"),
    ("14:00〜15:30", "十四時から十五時三十分"),
    ("３．５㎞", "三点五キロメートル"),
    ("-8℃", "マイナス八度"),
    ("50㎡", "五十平方メートル"),
    ("3/8", "八分の三"),
    ("1と½", "一と二分の一"),
    ("20〜30%", "二十から三十パーセント"),
    ("050-2233-4455", "零五零の二二三三の四四五五"),
    ("南町3-12-5", "南町三の十二の五"),
    ("6+7=13", "六たす七は十三"),
    ("B1Fと3F", "地下一階と三階"),
    ("第Ⅲ章", "第三章"),
    ("2024-05-06と2024.5.6", "二千二十四年五月六日と二千二十四年五月六日"),
    ("v2.0.1とバージョン2024.5.6", "バージョン二点零点一とバージョン二千二十四点五点六"),
    ("4/1付、9/30まで、2/3まで", "四月一日付、九月三十日まで、三分の二まで"),
    ("'98年", "九十八年"),
    ("PM8時", "午後八時"),
    ("23:59:59に締め切り、1:02:03で走る", "二十三時五十九分五十九秒に締め切り、一時間二分三秒で走る"),
    ("4/1から、1/4から", "四月一日から、四分の一から"),
    ("10¹²と10⁻³と10^8m/s", "十の十二乗と十のマイナス三乗と十の八乗メートル毎秒"),
    ("時給1200円+交通費とC++20", "時給千二百円プラス交通費とC++二十"),
    ("会員番号4729831、背番号17", "会員番号四七二九八三一、背番号十七"),
    ("午前9:00〜午後5:30", "午前九時から午後五時三十分"),
    ("1ユーロ=163.5円", "一ユーロ百六十三点五円"),
    ("幅=30", "幅イコール三十"),
    ("p.12-15", "ページ十二から十五"),
    ("9-4=5", "九引く四は五"),
    ("9.8m/s²", "九点八メートル毎秒毎秒"),
    ("㏠", "一日"),
    ("007", "零零七"),
    ("ジャズと猫", "ジャズと猫"),
    ("パスワードは0420、IDが10000を超えた", "パスワードは零四二零、IDが一万を超えた"),
    ("認証コード739と口座番号の22067", "認証コード七三九と口座番号の二二零六七"),
    ("PM2.5が多い", "PM二点五が多い"),
    ("0時0分0秒", "零時零分零秒"),
    ("1000億円と1,000兆円と1000万円", "一千億円と一千兆円と千万円"),
    ("2024/4〜2025/3", "二千二十四年四月から二千二十五年三月"),
    ("令和7.3.31とR01.5.1", "令和七年三月三十一日と令和元年五月一日"),
    ("080 1234 5678", "零八零の一二三四の五六七八"),
    ("3×4cmの180cm×90cm", "三かける四センチメートルの百八十センチメートルかける九十センチメートル"),
    ("第IV章とVIPの第X回", "第四章とVIPの第X回"),
    ("9時-17時", "九時から十七時"),
]


@pytest.mark.parametrize(("spoken", "written"), WRITTEN)
def test_itn_in_japanese(spoken, written):
    assert itn(spoken) == written


@pytest.mark.parametrize(("written", "spoken"), SPOKEN)
def test_tn_in_japanese(written, spoken):
    assert tn(written) == spoken


def rows(path):
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    for line in lines:
        fields = dict(zip(header.split("\t"), line.split("\t"), strict=False))
        yield fields, [fields[name] for name in ("written", "spoken")], fields.get("alternatives", "").split(" | ")


def comparable(text):
    return text.replace("〜", "~").replace("～", "~").replace(" ", "")


@pytest.mark.parametrize(
    ("name", "convert", "least"),
    [("ja_dev", itn, 0.99), ("ja_dev_negative", itn, 0.99), ("ja_tn_dev", tn, 0.97)],
)
def test_accuracy_on_the_recorded_sentences(shared_dir, name, convert, least):
    path = shared_dir / "data" / "itn" / f"{name}.tsv"
    if not path.is_file():
        pytest.skip(f"no recorded sentences {name}")
    assert accuracy(path, convert) >= least


@pytest.mark.parametrize(
    ("name", "convert", "least"),
    [
        ("spoken", itn, 0.99),
        ("stays", itn, 0.99),
        ("written", tn, 0.99),
        ("spoken_hard", itn, 0.98),
        ("stays_hard", itn, 0.97),
        ("written_hard", tn, 0.99),
        ("spoken_more", itn, 0.98),
        ("stays_more", itn, 0.99),
        ("written_more", tn, 0.99),
        ("spoken_rare", itn, 0.96),
        ("stays_rare", itn, 0.98),
        ("written_rare", tn, 0.97),
        ("spoken_fields", itn, 0.99),
        ("stays_fields", itn, 0.99),
        ("written_fields", tn, 0.99),
    ],
)
def test_accuracy_on_sentences_of_others(name, convert, least):
    assert accuracy(OTHERS / f"{name}.tsv", convert) >= least


def accuracy(path, convert):
    right = total = 0
    for _, (written, spoken), alternatives in rows(path):
        source, wanted = (spoken, written) if convert is itn else (written, spoken)
        right += comparable(convert(source)) in map(comparable, [wanted, *filter(None, alternatives)])
        total += 1
    return right / total


@pytest.mark.parametrize(
    "part", ["に", "の一", "点一", "エー", "プラス一", "ドット", "1-", "1/", "a@", "3万五千", "천", "점일 "]
)
def test_long_odd_texts_take_linear_time(part):
    text = part * 3_000 + "ット"
    assert len(itn(text)) > 0
    assert len(tn(text)) > 0
    assert len(itn(text, "ko")) > 0


@pytest.mark.parametrize("text", ["チケット internationalization of software", "ット" + "abcdefghij " * 2_000])
def test_letters_beside_a_sign_of_an_address_take_linear_time(text):
    assert itn(text) == text


@pytest.mark.parametrize(
    "text", ["一" * 5_000 + "点五", "一" * 5_000 + "分の一", "1/" + "1" * 5_000, "1" * 5_000 + "円"]
)
def test_endless_numbers(text):
    assert len(itn(text)) > 0
    assert len(tn(text)) > 0


# The public call


def test_spans_say_where_each_part_comes_from():
    assert uniasr.text.itn("約三百円です", spans=True) == Normalized(
        "約三百円です",
        "約300円です",
        (Span(0, 1, 0, 1, "literal"), Span(1, 3, 1, 4, "money"), Span(3, 6, 4, 7, "literal")),
    )
    with pytest.raises(FrozenInstanceError):
        itn("三", spans=True).text = ""


def test_whitelist():
    assert itn("三月と三日", whitelist=["三月"]) == "三月と3日"
    assert itn("三月と三日", whitelist={"三日": "みっか", "三日月": "弓"}) == "3月とみっか"
    assert tn("PS5が3台", whitelist={"PS5": "ピーエスファイブ"}) == "ピーエスファイブが三台"
    for cutting in ("十円", "二十", "三百", "百", "三"):  # 302十円 would be another number
        assert itn("三百二十円と二十五人", whitelist=[cutting]) == "320円と25人"
    assert itn("三点五度と五度", whitelist=["五度"]) == "3.5度と五度"
    assert itn("三点五と三", whitelist=["三"]) == "3.5と三"
    assert itn("三月", whitelist={}) == itn("三月", whitelist=None) == "3月"
    for wrong in ("三月", {"": "a"}, {"a": 3}, [3], 3):
        with pytest.raises(OptionError, match="whitelist"):
            itn("三月", whitelist=wrong)


def test_whitelist_files(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("三月\n\n五郎\t吾郎\nx\t\n", encoding="utf-8")
    assert read_whitelist(path) == {"三月": "三月", "五郎": "吾郎", "x": ""}
    path.write_text("三月\n", encoding="utf-8-sig")  # as some editors write
    assert read_whitelist(path) == {"三月": "三月"}
    path.write_text("\ta\n", encoding="utf-8")
    with pytest.raises(OptionError, match="line 1"):
        read_whitelist(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(OptionError, match="UTF-8"):
        read_whitelist(path)


def test_wrong_arguments():
    with pytest.raises(OptionError, match=r"'xx'.*de, en.* ja, ko"):
        itn("a", language="xx")
    assert itn("三百円", "JA") == itn("三百円", "ja-JP") == itn("三百円", "ja_jp") == "300円"
    with pytest.raises(OptionError, match=r"TN .*'ko'"):
        tn("a", language="ko")
    with pytest.raises(OptionError, match="string"):
        itn(3)


# Tokens with times


def token(text, start_ms, end_ms, confidence=0.5):
    return Token(text, ord(text[0]), start_ms, end_ms, confidence)


def test_a_converted_span_takes_the_times_and_the_lowest_confidence_of_its_sources():
    tokens = [token("約", 0, 90), token("三", 100, 200, 0.9), token("百", 200, 310, 0.2), token("円", 320, 400)]
    assert align_tokens(tokens, itn("約三百円", spans=True)) == (
        tokens[0],
        Token("300", -1, 100, 310, 0.2),
        tokens[3],
    )


def test_a_token_that_a_span_cuts_belongs_to_it_whole():
    tokens = [token("約三", 0, 90), token("百円です", 100, 200)]
    assert align_tokens(tokens, itn("約三百円です", spans=True)) == (Token("約300円です", -1, 0, 200, 0.5),)


def test_blanks_between_words_stay():
    tokens = [token(word, 10 * i, 10 * i + 10) for i, word in enumerate(["ab", "cd", "ef"])]
    aligned = align_tokens(tokens, Normalized("ab cd ef", "ab cd ef", (Span(0, 8, 0, 8, "literal"),)))
    assert [one.text for one in aligned] == ["ab", " cd", " ef"]


def test_tokens_of_another_text_are_refused():
    with pytest.raises(OptionError, match="spell"):
        align_tokens([token("三", 0, 1)], itn("四", spans=True))


# Other languages


KOREAN = [
    ("삼천이백 원입니다", "₩3200입니다"),
    ("이천십구년 시월 삼일", "2019년10월3일"),
    ("오후 네시 십분", "오후 4:10"),
    ("사과 세 개", "사과 3 개"),
    ("오 킬로미터", "5 km"),
    ("칠분의삼", "3/7"),
    ("공일공 이삼사오 육칠팔구", "010-2345-6789"),
    ("이번 주에 사회 구조 문제", "이번 주에 사회 구조 문제"),
]


@pytest.mark.parametrize(("spoken", "written"), KOREAN)
def test_itn_in_korean(spoken, written):
    assert itn(spoken, "ko") == written


@pytest.fixture
def package(monkeypatch):
    """A grammar package whose conversion a test chooses."""

    def install(name, normalize):
        monkeypatch.setitem(
            sys.modules, name, SimpleNamespace(Normalizer=lambda lang, operator: SimpleNamespace(normalize=normalize))
        )
        grammars.normalizer.cache_clear()

    yield install
    grammars.normalizer.cache_clear()


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    grammars.normalizer.cache_clear()
    monkeypatch.setitem(sys.modules, "itntext", None)
    with pytest.raises(MissingExtraError, match=r"itntext.*uniasr\[itn-more\]"):
        itn("drei", "de")


def test_spans_of_a_grammar_cover_the_words_that_differ(package):
    package("wetext", lambda text: text.replace("twenty two dollars", "$22"))
    result = itn("  I have twenty two dollars\tleft ", "en", spans=True)
    assert result.text == "  I have $22\tleft "
    assert [(result.source[s.source_start : s.source_end], s.kind) for s in result.spans if s.kind != "literal"] == [
        ("twenty two dollars", "converted")
    ]


def test_what_a_grammar_cannot_read_stays(package):
    def refuse(text):
        raise AssertionError(text)

    package("wetext", refuse)
    assert itn("twenty", "en") == "twenty"


@pytest.mark.parametrize(
    ("language", "spoken", "written"),
    [
        *(("en", "twenty two dollars", "$22"), ("zh", "三百二十五元", "¥325"), ("de", "zwei hundert", "200")),
        *(("fr", "soixante", "60"), ("pt", "vinte e dois", "22"), ("es", "veintidós", "22"), ("vi", "hai mươi", "20")),
        *(("ru", "двадцать два", "22"), ("id", "dua puluh dua", "22"), ("tl", "dalawampu", "20")),
    ],
)
def test_languages_of_the_extras(language, spoken, written):
    pytest.importorskip(grammars.GRAMMARS["itn"][language].package)
    assert itn(spoken, language) == written
    assert language in LANGUAGES["itn"]
