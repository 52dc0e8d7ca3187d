"""A store with one day's news in three languages: new, copied, revised, taken down, untitled; and two outages."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from support.shipped_rules import get_shipped_matcher

from crawler.items import Article, Health, Run, Verdict
from crawler.store import Alarm, Store
from crawler.text.dates import load_time_zone

ALMATY = load_time_zone("Asia/Almaty")
END = datetime(2026, 3, 6, 8, 30, tzinfo=ALMATY)
BEGIN = END - timedelta(days=1)
NOON = datetime(2026, 3, 5, 12, 0, tzinfo=ALMATY)
HOUR = timedelta(hours=1)
GOV = "https://www.gov.kz/memleket/entities/mfa/press/news/details"
KT = "https://www.kt.kz/rus/press-materialy"

TALKS = (
    "Астана, 5 марта 2026 года – Заместитель министра иностранных дел Алибек Бакаев принял главу региональной "
    "делегации Международного Комитета Красного Креста в Центральной Азии Биляну Милошевич.\n"
    "Стороны обсудили подготовку курса для 45 военных медиков, который пройдёт в Алматы в мае. "
    "А.Бакаев подтвердил приверженность Казахстана нормам международного гуманитарного права.\n"
    "Б.Милошевич поблагодарила казахстанскую сторону за поддержку мандата МККК. "
    "Курс будет вестись на казахском и русском языках, участники получат учебные пособия и полевые сумки. "
    "Стороны договорились продолжить обмен опытом и встретиться вновь осенью в Женеве, где пройдёт очередное "
    "совещание экспертов по вопросам подготовки медицинского персонала вооружённых сил. "
    "По завершении встречи гостям показали экспозицию, посвящённую истории дипломатической службы."
)
TALKS_KK = (
    "Астана, 2026 жылғы 5 наурыз – Сыртқы істер министрінің орынбасары Әлібек Бақаев Халықаралық Қызыл Крест "
    "комитетінің Орталық Азиядағы өңірлік делегациясының басшысы Биляна Милошевичті қабылдады.\n"
    "Тараптар мамыр айында Алматыда өтетін 45 әскери дәрігерге арналған курсқа дайындықты талқылады. "
    "Ә.Бақаев Қазақстанның халықаралық гуманитарлық құқық нормаларына адалдығын растады.\n"
    "Б.Милошевич ХҚКК мандатын қолдағаны үшін қазақстандық тарапқа алғыс айтты. Курс қазақ және орыс тілдерінде "
    "жүргізіледі, қатысушыларға оқу құралдары беріледі. Тараптар күзде Женевада қайта кездесуге уағдаласты."
)
FLOOD = (
    "KAZAKHSTAN TODAY – В Уральске {number} волонтёров Общества Красного Полумесяца помогают жителям, чьи дома "
    "подтопило талой водой. Они развозят питьевую воду, одеяла и наборы для уборки. "
    "По словам руководителя филиала, склады заполнены, и помощи хватит всем обратившимся семьям. "
    "{more}Жителей просят сообщать о нуждах по телефону доверия. Работы продлятся до конца недели, "
    "после чего добровольцы проведут занятия по первой помощи в трёх школах города."
)
EXHIBITION = (
    "An exhibition on the Geneva Conventions of 1949 opened at the National Museum in Astana, QazMonitor reports.\n"
    "The International Committee of the Red Cross lent forty photographs and a field hospital tent. "
    "Guides explain what the rules of war ask of soldiers & doctors, and why <hospitals> must never be targets. "
    "Admission is free for students. The museum expects ten thousand visitors until June. "
    "A catalogue in Kazakh, Russian and English is on sale at the entrance, and lectures take place each Saturday."
)
RELEASE = (
    "Представитель Министерства иностранных дел Гульнара Оразбаева рассказала о ходе ратификации протоколов "
    "к Женевским конвенциям и о работе национальной комиссии по международному гуманитарному праву. "
    "Комиссия рассмотрит законопроект о защите эмблемы в апреле. "
    "Следующее заседание пройдёт в Астане с участием представителей заинтересованных ведомств и экспертов. "
    "Итоги будут опубликованы на сайте ведомства в течение недели после заседания."
)
VOLUNTEERS = (
    "Қызылордада Қызыл Жарты Ай қоғамының еріктілері су тасқынынан зардап шеккен отбасыларға көмек жеткізді. "
    "Әр отбасыға азық-түлік, ауызсу және жылы көрпе берілді. Қоғам өкілі Өмірзақ Үсенов: «Көмек бір апта бойы "
    "жалғасады», – деді. Һәм бұл іске мектеп оқушылары да үн қосты. Облыс әкімдігі көлік бөліп, жол ашып берді."
)


def make_article(
    name: str, title: str | None, body: str, published: datetime | None, url: str, **values: Any
) -> Article:
    """Return an article with the matches of the rules. `name` is its id."""
    source, _, language = name.split(":")
    made = Article(
        id=name,
        source=source,
        url=url,
        title=title,
        body=body,
        language=language,
        published_at=published,
        fetched_at=NOON,
        verdict=Verdict.NEW,
        version=1,
        **values,
    )
    return replace(made, matches=get_shipped_matcher().find_matches(made.texts, language=language, source=source))


def save_article(store: Store, item: Article, seen_at: datetime) -> None:
    """Store a version as the pipeline does."""
    key = hashlib.sha256(repr((item.title, item.body, item.verdict)).encode()).hexdigest()
    copy = hashlib.sha256(item.body.encode()).hexdigest()
    store.articles.save(
        replace(item, fetched_at=seen_at), content_hash=key, copy_hash=copy, run_id=None, seen_at=seen_at
    )


def make_later_version(item: Article, verdict: Verdict, **changes: Any) -> Article:
    """Return the next version of an article."""
    changed = replace(item, version=(item.version or 1) + 1, verdict=verdict, **changes)
    return replace(
        changed, matches=get_shipped_matcher().find_matches(changed.texts, language=item.language, source=item.source)
    )


def make_talks() -> list[Article]:
    """Return one release in two languages, and its reprint."""
    at = datetime(2026, 3, 5, 16, 20, tzinfo=ALMATY)
    russian = make_article(
        "mfa:1300001:ru",
        "Казахстан и МККК обсудили курс для военных медиков",
        TALKS,
        at,
        f"{GOV}/1300001?lang=ru",
        place="Астана",
    )
    kazakh = make_article(
        "mfa:1300001:kk",
        "Қазақстан мен ХҚКК әскери дәрігерлерге арналған курсты талқылады",
        TALKS_KK,
        at,
        f"{GOV}/1300001?lang=kk",
        place="Астана",
    )
    reprint = make_article(
        "ktkz:1378100001:ru",
        "В МИД обсудили курс для военных медиков",
        TALKS,
        at + HOUR,
        f"{KT}/v_mid_obsudili_kurs_1378100001.html",
        attribution="МИД РК",
    )
    return [russian, kazakh, replace(reprint, verdict=Verdict.COPY, copy_of=russian.id)]


def make_flood() -> list[Article]:
    """Return an article and its quiet edit."""
    body = FLOOD.format(number=40, more="")
    first = make_article(
        "ktkz:1378099001:ru",
        "Волонтёры помогают подтопленному Уральску",
        body,
        NOON - timedelta(days=2),
        f"{KT}/volontery_pomogayut_1378099001.html",
        section="общество",
    )
    more = "К ним присоединились ещё два отряда из Актобе с лодками и насосами. "
    return [first, make_later_version(first, Verdict.REVISED, body=FLOOD.format(number=60, more=more))]


def fill_store(store: Store) -> None:
    """Store everything of the day, grouped into stories. The newest run of kt.kz was blocked; QazMonitor is silent."""
    for item, minutes in zip(make_talks(), (270, 272, 330), strict=True):
        save_article(store, item, NOON + timedelta(minutes=minutes))
    first, edited = make_flood()
    save_article(store, first, NOON - timedelta(days=2))
    save_article(store, edited, NOON + 2 * HOUR)
    exhibition = make_article(
        "qazmonitor:2001:en",
        "Exhibition on the Geneva Conventions Opens in Astana",
        EXHIBITION,
        NOON + HOUR,
        "https://qazmonitor.com/news/2001/exhibition-on-the-geneva-conventions",
        lead="Pictures of a century of mercy",
        section="News",
        place="Astana",
    )
    save_article(store, exhibition, NOON + 2 * HOUR)
    save_article(
        store,
        make_article(
            "mfa:kt-1378100009:ru",
            None,
            RELEASE,
            None,
            f"{KT}/o_khode_ratifikatsii_1378100009.html",
            attribution="МИД РК",
        ),
        NOON + 3 * HOUR,
    )
    save_article(
        store,
        make_article(
            "ktkz:1378100005:kk",
            "Еріктілер зардап шеккендерге көмек жеткізді",
            VOLUNTEERS,
            NOON,
            "https://www.kt.kz/kaz/society/eriktiler_1378100005.html",
        ),
        NOON + HOUR,
    )
    taken = make_article(
        "mfa:1299500:en",
        "Kazakhstan Joins the Global Initiative on Humanitarian Law",
        "Kazakhstan joined the global initiative on international humanitarian law. "
        "The ministry will send two experts to the group on hospitals. More details will follow.",
        NOON - timedelta(days=3),
        f"{GOV}/1299500?lang=en",
    )
    save_article(store, taken, NOON - timedelta(days=3))
    save_article(store, make_later_version(taken, Verdict.UNPUBLISHED), NOON + 4 * HOUR)
    save_article(
        store,
        make_article(
            "qazmonitor:2002:en",
            "Wheat Prices Rise",
            "Wheat became dearer in the north this week.",
            NOON,
            "https://qazmonitor.com/news/2002/wheat",
        ),
        NOON + HOUR,
    )
    store.clusters.assign_pending(ALMATY)
    add_run(store, "mfa", NOON + 8 * HOUR, Health.HEALTHY, 0)
    for hours in (2, 9):
        add_run(store, "ktkz", NOON + hours * HOUR, Health.BLOCKED, 11)
    add_run(store, "qazmonitor", NOON - 30 * HOUR, Health.HEALTHY, 0)
    store.alarms.save(
        Alarm(
            source="ktkz",
            kind="blocked",
            severity="11",
            last_health="blocked",
            message="403",
            run_count=2,
            opened_at=NOON + 2 * HOUR,
            last_seen_at=NOON + 9 * HOUR,
        )
    )


def revise_talks(store: Store) -> None:
    """Store today's revision of yesterday's release in both languages."""
    russian, kazakh, _ = make_talks()
    for item in (russian, kazakh):
        save_article(store, item, BEGIN - HOUR)
        save_article(
            store,
            make_later_version(item, Verdict.REVISED, body=item.body.replace("45", "54"), title=f"{item.title} (54)"),
            NOON,
        )
    store.clusters.assign_pending(ALMATY)


def add_run(store: Store, source: str, at: datetime, health: Health, code: int, *, mode: str = "live") -> None:
    """Add a run that ended at this time."""
    begun = store.runs.record_start(Run(source=source, mode=mode, started_at=at.astimezone(UTC) - timedelta(minutes=1)))
    store.runs.record_end(replace(begun, finished_at=at.astimezone(UTC), health=health, exit_code=code))
