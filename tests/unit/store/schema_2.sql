BEGIN TRANSACTION;
CREATE TABLE aside (
        task TEXT NOT NULL, question TEXT NOT NULL, rater TEXT NOT NULL, since REAL NOT NULL,
        PRIMARY KEY (task, question, rater));
INSERT INTO "aside" VALUES('t','later','ada',1000.0);
CREATE TABLE judgements (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, task TEXT NOT NULL, kind TEXT NOT NULL,
    z_hash TEXT NOT NULL, card_hash TEXT NOT NULL,
    items TEXT NOT NULL, options TEXT NOT NULL, seed INTEGER NOT NULL, answer TEXT,
    rater TEXT NOT NULL, rater_kind TEXT NOT NULL, shown TEXT NOT NULL, answered TEXT NOT NULL,
    "key" TEXT NOT NULL UNIQUE, instructions TEXT NOT NULL,
    supersedes TEXT NOT NULL, "use" TEXT NOT NULL
);
INSERT INTO "judgements" VALUES(1,'id-k1','t','label','z','c1','["x"]','["a", "b"]',0,'{"choice": "a"}','mira','person','2026-01-05T10:01:00+00:00','2026-01-05T10:01:00+00:00','k1','1','','train');
INSERT INTO "judgements" VALUES(2,'id-k2','t','label','z','c1','["x"]','["a", "b"]',0,'{"choice": "b"}','mira','person','2026-01-05T10:02:00+00:00','2026-01-05T10:02:00+00:00','k2','1','id-k1','train');
INSERT INTO "judgements" VALUES(3,'id-k3','t','label','z','c1','["y"]','["a", "b"]',0,'{"choice": "a"}','Zoë','person','2026-01-05T10:03:00+00:00','2026-01-05T10:03:00+00:00','k3','1','','train');
INSERT INTO "judgements" VALUES(4,'id-k4','t','label','z','c1','["y"]','["a", "b"]',0,'{"choice": "a"}','mira','person','2026-01-05T10:04:00+00:00','2026-01-05T10:04:00+00:00','k4','1','','train');
INSERT INTO "judgements" VALUES(5,'eda1aff91e4a4c3483a6f936426ac245','t','label','z','c1','["y"]','["a", "b"]',0,NULL,'mira','person','2026-12-01T00:52:20.942+00:00','2026-12-01T00:52:20.942+00:00','withdraw:id-k4','1','id-k4','train');
CREATE TABLE leased (
        task TEXT NOT NULL, question TEXT NOT NULL, rater TEXT NOT NULL,
        since REAL NOT NULL, until REAL NOT NULL, PRIMARY KEY (task, question, rater));
INSERT INTO "leased" VALUES('t','held','ada',1000.0,1300.0);
CREATE TABLE resent (
    id TEXT NOT NULL UNIQUE, judgement TEXT NOT NULL, shown TEXT NOT NULL, answered TEXT NOT NULL
);
INSERT INTO "resent" VALUES('other-k3','id-k3','2026-01-05T10:09:00+00:00','2026-01-05T10:09:00+00:00');
CREATE INDEX by_task ON judgements (task, rater);
CREATE INDEX by_superseded ON judgements (supersedes) WHERE supersedes <> '';
CREATE INDEX by_question ON judgements (task, kind, items);
CREATE TRIGGER no_update BEFORE UPDATE ON judgements
    BEGIN SELECT RAISE(ABORT, 'judgements are append-only'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON judgements
    BEGIN SELECT RAISE(ABORT, 'judgements are append-only'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('judgements',5);
COMMIT;
PRAGMA application_id = 1668966961;
PRAGMA user_version = 2;
