"""The six languages are detected, and similar languages are none of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text.language import TEXT_LANGUAGES, detect_language

TEXTS = {
    "en": [
        "The deputy minister opened a bridge over the Syr Darya and thanked the engineers of the region.",
        "Flour Exports Rise by a Fifth",
        "Ambassador Nurlan Zhalgasbayev presented copies of his credentials to the president of Malta on Tuesday.",
        "Kazakhstan’s Ministry of Foreign Affairs (СІМ) and its partners in Қостанай signed a plan for the year.",
        "Volunteers from Semey have sent blankets to families whose homes were damaged.",
    ],
    "ru": [
        "Заместитель министра осмотрел мост через Сырдарью и поблагодарил инженеров.",
        "Посол вручил копии верительных грамот",
        "Фонд «Қазақстан халқына» передал детской больнице в Семее новый аппарат и оплатил обучение трех врачей.",
        "В Алматы открылась выставка Open Art Kazakhstan, организованная при поддержке British Council.",
        "Министр",
    ],
    "kk": [
        "Министрдің орынбасары Сырдария арқылы өтетін көпірді ашып, инженерлерге алғыс айтты.",
        "Елші сенім грамоталарының көшірмелерін тапсырды",
        "Олар Қарағандыға келген бетте қонақүйге орналасты.",
        "Қазақстан Республикасының Сыртқы істер министрі Мұрат Нұртілеу Ханты-Мансийск қаласында болды.",
        "Еріктілер мен дәрігерлер ауыл тұрғындарына көмек көрсетті, ал мектеп оқушылары ағаш отырғызды.",
        "Qazaqstan elshisi sheteldik ǵalymdarmen kezdesip, jańa baǵdarlama týraly aıtty.",
        "Qazaqstan elşısı şeteldık ğalymdarmen kezdesıp, jaña bağdarlama turaly aitty.",
    ],
    "ky": [
        "Министрдин орун басары көпүрөнүн ачылышына катышып, курулушка үлүш кошкон инженерлерге "
        "өкмөттүн атынан ыраазычылык билдирди.",
        "Элчилик өлкөнүн түштүгүндөгү мектептерге китептерди тапшырды жана мугалимдер менен жолугушту.",
        "Министр Бишкекте эки келишимге кол койду",
        "Президент элчини кабыл алды",
        "Бул тууралуу министрлик билдирди",
        "Кызыл Ай коому жардам берди",
        "Парламентте мыйзам долбоору каралды",
        "Айылдагы ооруканага дары-дармек жеткирилди",
    ],
    "uz": [
        "Вазир ўринбосари кўприкнинг очилишида қатнашди ва муҳандисларга миннатдорчилик билдирди.",
        "Тошкентда ёғингарчилик кутилмоқда, ҳарорат эса бироз пасаяди.",
        "Президент элчини қабул қилди",
        "Самарқандда халқаро анжуман бошланди",
        "Vazir oʻrinbosari koʻprikning ochilishida qatnashdi va muhandislarga minnatdorchilik bildirdi.",
        "Toshkentda qizil olma bayrami boshlandi, qishloqlardan mehmonlar keldi.",
        "Qizil Yarim Oy jamiyati yordam berdi",
    ],
    "tg": [
        "Муовини вазир дар маросими кушодашавии пул иштирок карда, ба муҳандисон изҳори сипос намуд.",
        "Дар шаҳри Хуҷанд ҷашнвораи китоб оғоз ёфт, ки дар он ноширони хориҷӣ низ иштирок доранд.",
        "Вазир сафирро қабул кард",
        "Ҷамъияти Ҳилоли Аҳмар кумак расонд",
    ],
    None: [
        # Ukrainian, Belarusian
        "Заступник міністра відкрив міст через річку та подякував інженерам за їхню працю.",
        "Посол вручив копії вірчих грамот міністру закордонних справ",
        "Намеснік міністра адкрыў мост цераз раку і падзякаваў інжынерам.",
        # Tatar, Serbian, Mongolian
        "Министр урынбасары күпер ачылышында катнашты һәм инженерларга рәхмәт әйтте.",
        "Заменик министра отворио је мост преко реке и захвалио инжењерима.",
        "Сайдын орлогч гүүрний нээлтэд оролцож, инженерүүдэд талархал илэрхийлэв.",
        # Turkish, Azerbaijani
        "Bakan yardımcısı köprünün açılışına katıldı ve mühendislere teşekkür etti.",
        "Kızılay gönüllüleri sınırda ısıtıcı dağıttı",
        "Nazirin müavini körpünün açılışında iştirak etdi və mühəndislərə təşəkkür etdi.",
        # German, French, Spanish
        "Der Botschafter in Wien lud am Donnerstag zu einem Abend mit kasachischer Kammermusik ein.",
        "L'ambassadeur a visité un quartier de la ville où l'on construit une école, dans le cadre de sa mission.",
        "El embajador de España visitó aquí una pequeña escuela que se había quemado el año pasado.",
        # Too short
        "",
        "12",
        "№ 7",
        "外交部",
    ],
}
CASES = [(language, text) for language, texts in TEXTS.items() for text in texts]


@pytest.mark.parametrize(("language", "text"), CASES, ids=[f"{language}-{text[:24]}" for language, text in CASES])
def test_language_is_detected_or_none(language: str | None, text: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    "text", ["Қызыл қой Ауғанстанға барды", "ЖҚКК: 12 адам хабарсыз кетті", "Сауда 30% өсіп, қазан айында тоқтады"]
)
def test_short_text_with_letters_that_kyrgyz_lacks_is_kazakh(text: str) -> None:
    assert detect_language(text) == "kk"


@pytest.mark.parametrize(("language", "text"), [case for case in CASES if case[0] in ("ru", "kk", "ky", "tg")])
def test_capitals_do_not_change_the_language(language: str | None, text: str) -> None:
    assert detect_language(text.upper()) == detect_language(text.lower()) == language


@given(st.text())
def test_any_text_gets_one_of_the_six_or_none(text: str) -> None:
    assert detect_language(text) in (*TEXT_LANGUAGES, None)


WORDS = st.sampled_from(
    "министр приняла делегацию вечером цены выросли вода посол вручил грамоты команда театра кукол дары вагоны тары "
    "парламенте рассмотрен лидеры Ганы города уехали вообще кооператив вакуум урагана книга даты метро".split()
)


@given(st.lists(WORDS, min_size=2, unique=True).map(" ".join))
def test_russian_words_are_russian(text: str) -> None:
    assert detect_language(text) == "ru"


@given(
    st.lists(WORDS, min_size=20).map(" ".join),
    st.sampled_from(["Қазақстан", "Құрылтай", "Әділет", "Кыргызстандын өкмөтү"]),
)
def test_a_foreign_name_leaves_a_russian_text_russian(text: str, name: str) -> None:
    assert detect_language(f"{text} {name}") == "ru"


@given(st.text(alphabet="әғқұіаеындлрт ", min_size=20))
def test_text_with_kazakh_letters_is_never_english(text: str) -> None:
    assert detect_language(text) != "en"
