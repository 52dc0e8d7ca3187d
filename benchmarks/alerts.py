"""Measure how fast due alerts are delivered: 10,000 of them to a webhook that answers at once.

    python -m benchmarks.alerts             10,000 alerts
    python -m benchmarks.alerts --number N

The articles are made up and stored the usual way. Routing makes their messages. Then a process of its own sends them
and reports its peak memory. The receiver is another process, which only counts. The first line is how many requests it
answers to a client that does nothing else.

An attempt may fail on a busy machine, because the receiver has four seconds to answer. Its message stays in the outbox
and is sent at a later attempt, which the last line counts, with the reason. If a message is lost, the benchmark fails.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import multiprocessing
import resource
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.corpus import TOPIC
from benchmarks.store_articles import make_article
from crawler.config import Config
from crawler.items import Article
from crawler.keywords import Matcher, load_rules
from crawler.notify.dispatcher import MAX_ATTEMPTS, Dispatcher, DispatchResult
from crawler.notify.routing import route_events
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.store import DeliveryState, open_store

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def run_receiver(pipe: Connection) -> None:
    """Answer every POST and count the keys until a message arrives. Send the port first and the count last."""

    async def serve() -> None:
        keys: dict[bytes, int] = {}

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            fields = {
                k.strip().lower(): v.strip() for k, _, v in (line.partition(b":") for line in head.split(b"\r\n"))
            }
            await reader.readexactly(int(fields.get(b"content-length", b"0")))
            key = fields.get(b"idempotency-key", b"none")
            keys[key] = keys.get(key, 0) + 1
            writer.write(REPLY)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(pipe.recv)
        keys.pop(b"none", None)
        pipe.send((len(keys), sum(keys.values())))

    asyncio.run(serve())


def make_config(port: int, number: int) -> Config:
    """Return a configuration with one subscriber who gets a message for each article."""
    press = {"channels": ["desk"], "unit": "article", "burst": number + 1}
    channels = {"desk": f"json://127.0.0.1:{port}/hook"}
    return Config.model_validate({"channels": channels, "subscriptions": {"press": press}})


def fill_store(url: str, settings: Config, number: int) -> None:
    """Store matching articles and make their messages."""
    matcher = Matcher(load_rules())
    now = datetime.now(UTC)
    with open_store(url) as store:
        store.subscriptions.get_or_start(["press"], now - timedelta(days=1))
        for start in range(0, number, 500):
            with store.transaction():
                for each in range(start, min(start + 500, number)):
                    article = _make_matching(make_article(each), matcher)
                    store.articles.save(
                        article,
                        content_hash=hash_revision(article),
                        copy_hash=hash_body(article),
                        run_id=None,
                        seen_at=now - timedelta(hours=1),
                    )
        started = time.perf_counter()
        route_events(store, settings, now)
        print(f"routing  {(time.perf_counter() - started) / number * 1000:6.2f} ms an article", flush=True)


def _make_matching(article: Article, matcher: Matcher) -> Article:
    assert article.language is not None
    sentence = TOPIC[article.language].format(name=article.headline.split()[0])
    article = replace(article, body=f"{article.body}\n{sentence}")
    matches = matcher.find_matches(article.texts, language=article.language, source=article.source)
    return replace(article, matches=matches)


def send_messages(url: str, settings: Config, pipe: Connection) -> None:
    """Send the due messages until none is pending. Report what happened, the time and the peak memory."""
    with open_store(url) as store:
        started = time.perf_counter(), time.process_time()
        result = DispatchResult()
        for _ in range(MAX_ATTEMPTS):
            result += Dispatcher(settings, store).send_due()
            if not store.deliveries.count_by_state().get(DeliveryState.PENDING):
                break
            store.deliveries.retry_failed(datetime.now(UTC))
        took = time.perf_counter() - started[0], time.process_time() - started[1]
        left = store.deliveries.count_by_state().get(DeliveryState.PENDING, 0)
    pipe.send((result, left, *took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def measure_receiver(port: int, number: int = 1000) -> float:
    """Return the requests a second that the receiver answers to a client that does nothing else."""
    started = time.perf_counter()
    for _ in range(number):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/hook", b"{}")
        connection.getresponse().read()
        connection.close()
    return number / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=10_000)
    number = parser.parse_args().number
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    receiver = context.Process(target=run_receiver, args=(theirs,), daemon=True)
    receiver.start()
    port = ours.recv()
    print(
        f"The receiver answers {measure_receiver(port):,.0f} requests/s from one client that does nothing else",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        url, settings = f"sqlite:///{Path(folder) / 'bench.db'}", make_config(port, number)
        fill_store(url, settings, number)
        mine, its = context.Pipe()
        sender = context.Process(target=send_messages, args=(url, settings, its))
        sender.start()
        its.close()  # else a sender that is killed would be waited for
        result, left, wall, cpu, peak = mine.recv()
        sender.join()
    ours.send("stop")
    keys, posts = ours.recv()
    sent, reasons = result.sent, "".join(f"; {count} × {reason}" for reason, count in result.reasons.most_common())
    print(
        f"{sent:,} sent, {left} left  {sent / wall:,.0f}/s, {cpu / sent * 1000:.2f} ms of CPU each, {peak:.0f} MB; "
        f"{keys:,} keys arrived in {posts:,} requests; {result.failed} attempts failed{reasons}"
    )
    if (sent, left, keys) != (number, 0, number):
        raise SystemExit(f"Of {number:,} messages {keys:,} arrived.")


if __name__ == "__main__":
    main()
