# python3 verify-webhook.py SECRET WEBHOOK-ID WEBHOOK-TIMESTAMP WEBHOOK-SIGNATURE < BODY
import base64, hashlib, hmac, sys, time


def is_signed(secret: str, id: str, timestamp: str, signatures: str, body: bytes) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{id}.{timestamp}.".encode() + body
    own = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(own, given) for given in signatures.split(" "))


secret, id, timestamp, signatures = sys.argv[1:]
fresh = abs(time.time() - int(timestamp)) <= 300
signed = is_signed(secret, id, timestamp, signatures, sys.stdin.buffer.read())
print(f"{'signed' if signed else 'not signed'}, {'fresh' if fresh else 'not fresh'}")
sys.exit(0 if signed and fresh else 1)
