"""What people are told: the operator's alarms, and subscribers' alerts and digests, by the channels they chose.

alarms.py    from a run's verdict to an alarm that opens, gets worse, or heals
channels.py  alarms on the operator's channels
deciding.py  whether one subscription hears of one piece of news, and why not
sorting.py   news into notices and messages, one story told once
digests.py   what has gathered for a subscription's digest, as a message when it is due
writing.py   a message as the words that leave
outputs.py   every form of a message, for the proof of its rights
letter.py    those words, with their key
mail.py      a letter as a mail, to each of its recipients
carrier.py   one channel (Apprise), and why it did not take a letter
tries.py     how long what failed waits, and how long what was taken is one's own
sending.py   from the outbox to the channels, with further tries
"""
