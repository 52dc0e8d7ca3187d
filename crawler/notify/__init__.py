"""Notify people: the operator of alarms, subscribers of alerts and digests.

The way of a change event, in the order of the modules:

alarms.py               from a run's result to an alarm that opens, gets worse, or is over; from it to a message
routing.py              one notification a subscription for each event; one alert a story
subscription_filter.py  whether one subscription wants one event, and why not
digests.py              a message for each digest that is due
bursts.py               many messages within ten minutes become one list
delays.py               how long it took from publication to message
dispatcher.py           messages that are due to their channels, with retries
retry_delays.py         delays between attempts
rendering.py            a message as subject, text and HTML
alarm_rendering.py      a message about alarms
rendered_message.py     those words
mail.py                 the mail that carries them
webhooks.py             the JSON body that carries them, with its signature
transports.py           one channel (Apprise), and why a delivery failed
"""
