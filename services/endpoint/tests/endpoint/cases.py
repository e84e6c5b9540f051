"""Eclipse Paho's Python client against the endpoint on the port given: one line for each case that holds.

Ends with 1 at the first that does not. The names are those of docs/paho.md.
"""

import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PORT = int(sys.argv[1])
OWN = "hemu/v1/bin-1/"
PATIENCE = 10


class Talk:
    """A connection and everything heard on it."""

    def __init__(self, version, device="bin-1", keep_alive=60, properties=None, clean=None):
        five = version == mqtt.MQTTv5
        how = {} if five else {"clean_session": True if clean is None else clean}
        self.client = mqtt.Client(device, protocol=version, **how)
        self.client.username_pw_set(device or "bin-1", "right-key")
        self.connack = self.closed = None
        self.acked, self.granted, self.unsubscribed, self.heard = set(), [], 0, []
        self.client.on_connect = lambda *args: setattr(self, "connack", args[2:])
        self.client.on_disconnect = lambda *args: setattr(self, "closed", args[2:])
        self.client.on_publish = lambda _c, _u, mid: self.acked.add(mid)
        self.client.on_subscribe = lambda _c, _u, _mid, granted, *_: self.granted.append(granted[0])
        self.client.on_unsubscribe = lambda *_: setattr(self, "unsubscribed", 1)
        self.client.on_message = lambda _c, _u, message: self.heard.append(message)
        more = {"properties": properties} if five else {}
        if five and clean is not None:
            more["clean_start"] = clean
        self.client.connect("127.0.0.1", PORT, keep_alive, **more)
        self.until(lambda: self.connack or self.closed, "a CONNACK")

    def until(self, so, what):
        deadline = time.monotonic() + PATIENCE
        while not so():
            assert time.monotonic() < deadline, "waited in vain for " + what
            self.client.loop(0.05)

    def publish(self, topic=OWN + "deposit", qos=1, payload="{}", **more):
        return self.client.publish(topic, payload, qos, **more).mid

    def publish_acked(self, **more):
        mid = self.publish(**more)
        self.until(lambda: mid in self.acked, "a PUBACK")

    def subscribe(self, topic, **how):
        before = len(self.granted)
        self.client.subscribe(topic, **how)
        self.until(lambda: len(self.granted) > before, "a SUBACK")
        granted = self.granted[-1]
        return getattr(granted, "value", granted)

    def ends(self):
        """How the endpoint ended it. This client reads no reason from a DISCONNECT without properties."""
        self.until(lambda: self.closed is not None, "the end")
        return getattr(self.closed[0], "value", self.closed[0])

    def goodbye(self):
        self.client.disconnect()


def both(version):
    talk = Talk(version)
    talk.publish(qos=0)
    talk.publish_acked()
    talk.goodbye()
    talk = Talk(version)
    talk.publish_acked()
    yield "basic"

    talk.publish(qos=2)
    assert talk.ends() != 0
    yield "basic: QoS 2 is refused"

    talk = Talk(version)
    talk.publish(retain=True)
    assert talk.ends() != 0
    yield "retained message: refused"

    talk = Talk(version)
    for foreign in ["test/nosubscribe", "hemu/v1/bin-2/receipt"]:
        assert talk.subscribe(foreign) >= 0x80
    yield "subscribe failure"

    assert talk.subscribe(OWN + "receipt", qos=1) == 0
    talk.until(lambda: talk.heard, "a receipt")
    assert (talk.heard[0].payload, talk.heard[0].retain) == (b"{}", False)
    talk.client.unsubscribe(OWN + "receipt")
    talk.until(lambda: talk.unsubscribed, "an UNSUBACK")
    talk.heard.clear()
    for _ in range(10):
        talk.client.loop(0.05)
    assert not talk.heard
    yield "unsubscribe"

    talk.publish(topic="$TopicA/B", qos=0)
    assert talk.ends() != 0
    yield "dollar topics"

    refused = Talk(version, device="", clean=True)
    code = refused.connack[1]
    # The client may have made a name up, which is then no device's.
    assert getattr(code, "value", code) in (2, 4, 0x85, 0x86), code
    yield "zero length clientid"

    talk = Talk(version, keep_alive=1)
    time.sleep(2.5)
    talk.until(lambda: talk.closed is not None, "the end of the silence")
    yield "keepalive"


def five():
    asks = Properties(PacketTypes.CONNECT)
    asks.SessionExpiryInterval = 5
    for clean in (True, False):
        talk = Talk(mqtt.MQTTv5, properties=asks, clean=clean)
        assert talk.connack[0]["session present"] == 0
        assert talk.connack[2].SessionExpiryInterval == 0
    yield "session expiry"

    offer = talk.connack[2]
    assert (offer.MaximumQoS, offer.RetainAvailable, offer.ReceiveMaximum) == (1, 0, 1024)
    assert (offer.WildcardSubscriptionAvailable, offer.SharedSubscriptionAvailable) == (0, 0)
    yield "shared subscriptions: not offered"

    def with_properties(**values):
        properties = Properties(PacketTypes.PUBLISH)
        for name, value in values.items():
            setattr(properties, name, value)
        talk.publish_acked(properties=properties)

    with_properties(UserProperty=[("a", "2"), ("c", "3")])
    yield "user properties"
    alias = Properties(PacketTypes.PUBLISH)
    alias.TopicAlias = 1
    other = Talk(mqtt.MQTTv5, device="bin-2")
    other.publish(topic="hemu/v1/bin-2/deposit", properties=alias)
    assert other.ends() != 0
    yield "client topic alias"
    other = Talk(mqtt.MQTTv5, device="bin-2")
    numbered = Properties(PacketTypes.SUBSCRIBE)
    numbered.SubscriptionIdentifier = 456789
    other.client.subscribe("hemu/v1/bin-2/receipt", options=SubscribeOptions(1), properties=numbered)
    assert other.ends() != 0
    yield "subscribe identifiers"
    with_properties(PayloadFormatIndicator=1, ContentType="My name")
    yield "payload format"
    with_properties(MessageExpiryInterval=1)
    yield "publication expiry"
    with_properties(ResponseTopic=OWN + "receipt", CorrelationData=b"334")
    yield "request response"

    options = SubscribeOptions(1, noLocal=True, retainAsPublished=True, retainHandling=1)
    assert talk.subscribe(OWN + "receipt", options=options) == 0
    talk.until(lambda: len(talk.heard) >= 2, "receipts")
    assert not any(hasattr(message.properties, "TopicAlias") for message in talk.heard)
    yield "subscribe options, server topic alias"

    talk.publish(payload="." * 65_536)
    assert talk.ends() != 0
    yield "maximum packet size"

    talk = Talk(mqtt.MQTTv5, keep_alive=0)
    assert talk.connack[2].ServerKeepAlive == 300
    yield "server keep alive"

    assert talk.subscribe(OWN + "command", qos=1) == 1
    talk.until(lambda: talk.heard, "the command")
    assert talk.heard[0].payload == b"command 9"
    talk.client.loop(0.05)
    talk.goodbye()
    yield "offline message queueing"


def play(name, cases):
    for case in cases:
        print("ok", name, case, flush=True)


play("3.1.1", both(mqtt.MQTTv311))
play("5", both(mqtt.MQTTv5))
play("5", five())
