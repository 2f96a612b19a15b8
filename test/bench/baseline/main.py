"""What the service is compared with: the same endpoints with FastAPI, asyncpg and Fernet, without the rules of the service.

It signs after a revocation, does not check addresses and records nothing."""
import os
from typing import List, Optional
from uuid import UUID

import asyncpg
import jwt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

DSN = os.environ["DATABASE_URL"]
JWT_SECRET = os.environ["JWT_SECRET"]
# rows: one UPDATE and one ciphertext for each wallet; single: one UPDATE and one ciphertext for all
ROTATE_MODE = os.environ.get("ROTATE_MODE", "rows")
fernet = Fernet(os.environ["FERNET_KEY"])
CURVE = ec.SECP256K1()
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))
BOT_TYPES = ["volume", "market_maker", "sniper"]

app = FastAPI()
bearer = HTTPBearer()
KEY_RE = r"^(0x)?[0-9a-fA-F]{64}$"
ADDR_RE = r"^0x[0-9a-fA-F]{40}$"


async def current_user(cred: HTTPAuthorizationCredentials = Depends(bearer)) -> str:
    try:
        return jwt.decode(cred.credentials, JWT_SECRET, algorithms=["HS256"])["sub"]
    except (jwt.PyJWTError, KeyError):
        raise HTTPException(401, "invalid token")


auth = [Depends(current_user)]


@app.on_event("startup")
async def startup():
    app.state.pool = await asyncpg.create_pool(DSN, min_size=5, max_size=20)


@app.on_event("shutdown")
async def shutdown():
    await app.state.pool.close()


def encrypt(private_key: str) -> str:
    return fernet.encrypt(private_key.removeprefix("0x").encode()).decode()


class ClientIn(BaseModel):
    name: str


class KeyIn(BaseModel):
    private_key: str = Field(regex=KEY_RE)
    address: str = Field(regex=ADDR_RE)


class SetupIn(KeyIn):
    bot_type: str


class BotIn(BaseModel):
    client_id: UUID
    name: str
    bot_type: str
    wallets: List[KeyIn]


class WalletsIn(BaseModel):
    wallets: List[KeyIn]


class SignIn(BaseModel):
    digest: str = Field(regex=KEY_RE)
    address: Optional[str] = None


UPSERT_KEY = """INSERT INTO trading_keys(client_id, encrypted_key, wallet_address) VALUES($1,$2,$3)
 ON CONFLICT (client_id) DO UPDATE SET encrypted_key=EXCLUDED.encrypted_key,
 wallet_address=EXCLUDED.wallet_address, updated_at=now()"""
INSERT_WALLET = "INSERT INTO bot_wallets(bot_id, address, encrypted_key) VALUES($1,$2,$3)"


async def add_wallets(db, client_id, bot_id, wallets):
    for w in wallets:
        token = encrypt(w.private_key)
        await db.execute(INSERT_WALLET, bot_id, w.address, token)
        await db.execute(UPSERT_KEY, client_id, token, w.address)


@app.get("/health", dependencies=auth)
async def health():
    await app.state.pool.fetchval("SELECT 1")
    return {"status": "ok"}


@app.get("/ping", dependencies=auth)  # framework floor: JWT, no database
async def ping():
    return {"status": "ok"}


@app.post("/clients", dependencies=auth, status_code=201)
async def create_client(body: ClientIn):
    cid = await app.state.pool.fetchval("INSERT INTO clients(name) VALUES($1) RETURNING id", body.name)
    return {"id": str(cid)}


@app.post("/bots/create", dependencies=auth, status_code=201)
async def create_bot(body: BotIn):
    async with app.state.pool.acquire() as db, db.transaction():
        if not await db.fetchval("SELECT 1 FROM clients WHERE id=$1", body.client_id):
            raise HTTPException(404, "client not found")
        bot_id = await db.fetchval(
            "INSERT INTO bots(client_id,name,bot_type,status) VALUES($1,$2,$3,'created') RETURNING id",
            body.client_id, body.name, body.bot_type)
        await add_wallets(db, body.client_id, bot_id, body.wallets)
    return {"id": str(bot_id), "wallets": len(body.wallets)}


@app.post("/bots/{bot_id}/wallets", dependencies=auth, status_code=201)
async def bot_wallets(bot_id: UUID, body: WalletsIn):
    async with app.state.pool.acquire() as db, db.transaction():
        client_id = await db.fetchval("SELECT client_id FROM bots WHERE id=$1", bot_id)
        if client_id is None:
            raise HTTPException(404, "bot not found")
        await add_wallets(db, client_id, bot_id, body.wallets)
    return {"id": str(bot_id), "added": len(body.wallets)}


@app.get("/clients/{client_id}/bot-options", dependencies=auth)
async def bot_options(client_id: UUID):
    async with app.state.pool.acquire() as db:
        row = await db.fetchrow(
            "SELECT c.name, k.wallet_address FROM clients c LEFT JOIN trading_keys k ON k.client_id=c.id WHERE c.id=$1",
            client_id)
        if row is None:
            raise HTTPException(404, "client not found")
        bots = await db.fetch("SELECT id,name,bot_type,status FROM bots WHERE client_id=$1 ORDER BY created_at", client_id)
    return {"client_id": str(client_id), "name": row["name"], "has_key": row["wallet_address"] is not None,
            "wallet_address": row["wallet_address"], "bot_types": BOT_TYPES,
            "bots": [{"id": str(b["id"]), "name": b["name"], "bot_type": b["bot_type"], "status": b["status"]} for b in bots]}


@app.post("/clients/{client_id}/setup-bot", dependencies=auth, status_code=201)
async def setup_bot(client_id: UUID, body: SetupIn):
    token = encrypt(body.private_key)
    async with app.state.pool.acquire() as db, db.transaction():
        name = await db.fetchval("SELECT name FROM clients WHERE id=$1", client_id)
        if name is None:
            raise HTTPException(404, "client not found")
        await db.execute(UPSERT_KEY, client_id, token, body.address)
        bot_id = await db.fetchval(
            "INSERT INTO bots(client_id,name,bot_type,status) VALUES($1,$2,$3,'running') RETURNING id",
            client_id, f"{name}-{body.bot_type}", body.bot_type)
        await db.execute(INSERT_WALLET, bot_id, body.address, token)
    return {"id": str(bot_id), "status": "running"}


@app.put("/clients/{client_id}/rotate-key", dependencies=auth)
async def rotate_key(client_id: UUID, body: KeyIn):
    token = encrypt(body.private_key)
    async with app.state.pool.acquire() as db, db.transaction():
        found = await db.fetchval(
            "UPDATE trading_keys SET encrypted_key=$2, wallet_address=$3, updated_at=now() WHERE client_id=$1 RETURNING id",
            client_id, token, body.address)
        if found is None:
            raise HTTPException(404, "no key")
        if ROTATE_MODE == "single":
            res = await db.execute(
                "UPDATE bot_wallets w SET encrypted_key=$2, address=$3 FROM bots b WHERE b.id=w.bot_id AND b.client_id=$1",
                client_id, token, body.address)
            return {"rotated": int(res.split()[-1])}
        rows = await db.fetch(
            "SELECT w.id FROM bot_wallets w JOIN bots b ON b.id=w.bot_id WHERE b.client_id=$1", client_id)
        sql = "UPDATE bot_wallets SET encrypted_key=$2, address=$3 WHERE id=$1"
        for r in rows:
            await db.execute(sql, r["id"], encrypt(body.private_key), body.address)
    return {"rotated": len(rows)}


@app.delete("/clients/{client_id}/revoke-key", dependencies=auth)
async def revoke_key(client_id: UUID):
    async with app.state.pool.acquire() as db, db.transaction():
        res = await db.execute("UPDATE bots SET status='stopped' WHERE client_id=$1 AND status<>'stopped'", client_id)
        gone = await db.fetchval("DELETE FROM trading_keys WHERE client_id=$1 RETURNING id", client_id)
        if gone is None:
            raise HTTPException(404, "no key")
    return {"revoked": True, "stopped": int(res.split()[-1])}


@app.post("/bots/{bot_id}/sign", dependencies=auth)
async def sign(bot_id: UUID, body: SignIn):
    if body.address:
        token = await app.state.pool.fetchval(
            "SELECT encrypted_key FROM bot_wallets WHERE bot_id=$1 AND address=$2 ORDER BY id LIMIT 1", bot_id, body.address)
    else:
        token = await app.state.pool.fetchval(
            "SELECT encrypted_key FROM bot_wallets WHERE bot_id=$1 ORDER BY id LIMIT 1", bot_id)
    if token is None:
        raise HTTPException(404, "wallet not found")
    key = ec.derive_private_key(int(fernet.decrypt(token.encode()), 16), CURVE)
    r, s = decode_dss_signature(key.sign(bytes.fromhex(body.digest.removeprefix("0x")), PREHASHED))
    if s > ORDER // 2:
        s = ORDER - s
    return {"signature": "0x%064x%064x" % (r, s)}
