"""Notify people: the operator of alarms, subscribers of alerts and digests.

The way of a change event, in the order of the modules:

routing.py              one notification a subscription for each event; one alert a story
subscription_filter.py  whether one subscription wants one event, and why not
digests.py              a message for each digest that is due
dispatcher.py           messages that are due to their channels, with retries
rendering.py            a message as subject, text and HTML
rendered_message.py     those words
mail.py                 the mail that carries them
webhooks.py             the JSON body that carries them, with its signature
transports.py           one channel (Apprise), and why a delivery failed
alarms.py               from a run's result to an alarm that opens, gets worse, or is over
alarm_dispatcher.py     alarms to the operator's channels
retry_delays.py         delays between attempts, of messages and alarms alike
"""
