-- What the ADO.NET providers of Orleans 10.4 need (docs/design/cluster.md). Applied once, in one transaction.

-- Every query by its name; the providers read this table once, when a silo or a client starts.
CREATE TABLE OrleansQuery (
    QueryKey  text PRIMARY KEY,
    QueryText text NOT NULL
);

-- Membership. One version for a cluster, raised with every change of its members: whoever changes a row must have seen the newest.
CREATE TABLE taba_cluster (
    cluster text PRIMARY KEY,
    version integer NOT NULL DEFAULT 0
);

CREATE TABLE taba_member (
    cluster    text        NOT NULL REFERENCES taba_cluster (cluster),
    address    text        NOT NULL,
    port       integer     NOT NULL,
    generation integer     NOT NULL,
    name       text        NOT NULL,
    host       text        NOT NULL,
    status     integer     NOT NULL,
    gateway    integer     NOT NULL,
    suspicions text,
    started_at timestamptz NOT NULL,
    alive_at   timestamptz NOT NULL,
    PRIMARY KEY (cluster, address, port, generation)
);

-- Grain state. The hashes only make the index narrow: identity is the rest.
CREATE TABLE taba_grain_state (
    key_hash   integer     NOT NULL,
    state_hash integer     NOT NULL,
    service    text        NOT NULL,
    state      text        NOT NULL,
    key_n0     bigint      NOT NULL,
    key_n1     bigint      NOT NULL,
    key_text   text,
    payload    bytea,
    version    integer     NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT taba_grain_state_identity UNIQUE NULLS NOT DISTINCT (key_hash, state_hash, service, state, key_n0, key_n1, key_text)
);

-- Reminders. The tag never repeats within a service's life.
CREATE SEQUENCE taba_reminder_tag AS integer CYCLE;

CREATE TABLE taba_reminder (
    service   text        NOT NULL,
    grain     text        NOT NULL,
    name      text        NOT NULL,
    ring      integer     NOT NULL,
    first_at  timestamptz NOT NULL,
    every_ms  bigint      NOT NULL,
    tag       integer     NOT NULL,
    PRIMARY KEY (service, grain, name)
);

CREATE INDEX taba_reminder_ring ON taba_reminder (service, ring);

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES

('InsertMembershipVersionKey', $sql$
WITH added AS (
    INSERT INTO taba_cluster (cluster) VALUES (@DeploymentId) ON CONFLICT DO NOTHING RETURNING cluster
)
SELECT count(*) > 0 FROM added
$sql$),

('MembershipReadAllKey', $sql$
SELECT c.version AS "Version", m.address AS "Address", m.port AS "Port", m.generation AS "Generation", m.name AS "SiloName",
       m.host AS "HostName", m.status AS "Status", m.gateway AS "ProxyPort", m.suspicions AS "SuspectTimes",
       m.started_at AS "StartTime", m.alive_at AS "IAmAliveTime"
FROM taba_cluster c LEFT JOIN taba_member m USING (cluster)
WHERE c.cluster = @DeploymentId
$sql$),

('MembershipReadRowKey', $sql$
SELECT c.version AS "Version", m.address AS "Address", m.port AS "Port", m.generation AS "Generation", m.name AS "SiloName",
       m.host AS "HostName", m.status AS "Status", m.gateway AS "ProxyPort", m.suspicions AS "SuspectTimes",
       m.started_at AS "StartTime", m.alive_at AS "IAmAliveTime"
FROM taba_cluster c
LEFT JOIN taba_member m
       ON m.cluster = c.cluster AND m.address = @Address AND m.port = @Port AND m.generation = @Generation
WHERE c.cluster = @DeploymentId
$sql$),

-- The version's row is locked first, by the update; a loser finds another version and changes nothing.
('InsertMembershipKey', $sql$
WITH seen AS (
    UPDATE taba_cluster SET version = version + 1
    WHERE cluster = @DeploymentId AND version = @Version
      AND NOT EXISTS (
          SELECT FROM taba_member
          WHERE cluster = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation)
    RETURNING cluster
), added AS (
    INSERT INTO taba_member (cluster, address, port, generation, name, host, status, gateway, started_at, alive_at)
    SELECT cluster, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime
    FROM seen
    RETURNING cluster
)
SELECT count(*) > 0 FROM added
$sql$),

('UpdateMembershipKey', $sql$
WITH seen AS (
    UPDATE taba_cluster SET version = version + 1
    WHERE cluster = @DeploymentId AND version = @Version
      AND EXISTS (
          SELECT FROM taba_member
          WHERE cluster = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation)
    RETURNING cluster
), changed AS (
    UPDATE taba_member SET status = @Status, suspicions = @SuspectTimes, alive_at = @IAmAliveTime
    WHERE cluster = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
      AND EXISTS (SELECT FROM seen)
    RETURNING cluster
)
SELECT count(*) > 0 FROM changed
$sql$),

('UpdateIAmAlivetimeKey', $sql$
UPDATE taba_member SET alive_at = @IAmAliveTime
WHERE cluster = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
$sql$),

('GatewaysQueryKey', $sql$
SELECT address AS "Address", gateway AS "ProxyPort", generation AS "Generation"
FROM taba_member
WHERE cluster = @DeploymentId AND status = @Status AND gateway > 0
$sql$),

('DeleteMembershipTableEntriesKey', $sql$
DELETE FROM taba_member WHERE cluster = @DeploymentId;
DELETE FROM taba_cluster WHERE cluster = @DeploymentId
$sql$),

-- 6 is Dead: nobody else is ever removed.
('CleanupDefunctSiloEntriesKey', $sql$
DELETE FROM taba_member
WHERE cluster = @DeploymentId AND status = 6 AND started_at < @IAmAliveTime AND alive_at < @IAmAliveTime
$sql$),

('CleanupDefunctSiloEntryKey', $sql$
DELETE FROM taba_member
WHERE cluster = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
  AND status = 6 AND started_at = @StartTime AND alive_at = @IAmAliveTime
  AND coalesce(suspicions, '') = coalesce(@SuspectTimes, '')
$sql$),

('ReadFromStorageKey', $sql$
SELECT payload AS "PayloadBinary", version AS "Version"
FROM taba_grain_state
WHERE key_hash = @GrainIdHash AND state_hash = @GrainTypeHash
  AND service = @ServiceId AND state = @GrainTypeString AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1
  AND key_text IS NOT DISTINCT FROM @GrainIdExtensionString
$sql$),

-- Without a version the writer believes that there is none: it inserts or conflicts. With one it updates that version or conflicts. A conflict is no row.
('WriteToStorageKey', $sql$
WITH first AS (
    INSERT INTO taba_grain_state (key_hash, state_hash, service, state, key_n0, key_n1, key_text, payload, version)
    SELECT @GrainIdHash, @GrainTypeHash, @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString, @PayloadBinary, 1
    WHERE @GrainStateVersion IS NULL
    ON CONFLICT DO NOTHING
    RETURNING version
), next AS (
    UPDATE taba_grain_state SET payload = @PayloadBinary, version = version + 1, written_at = now()
    WHERE key_hash = @GrainIdHash AND state_hash = @GrainTypeHash
      AND service = @ServiceId AND state = @GrainTypeString AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1
      AND key_text IS NOT DISTINCT FROM @GrainIdExtensionString
      AND version = @GrainStateVersion
    RETURNING version
)
SELECT version AS "NewGrainStateVersion" FROM first
UNION ALL
SELECT version FROM next
$sql$),

('ClearStorageKey', $sql$
UPDATE taba_grain_state SET payload = NULL, version = version + 1, written_at = now()
WHERE key_hash = @GrainIdHash AND state_hash = @GrainTypeHash
  AND service = @ServiceId AND state = @GrainTypeString AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1
  AND key_text IS NOT DISTINCT FROM @GrainIdExtensionString
  AND version = @GrainStateVersion
RETURNING version
$sql$),

('DeleteStorageKey', $sql$
DELETE FROM taba_grain_state
WHERE key_hash = @GrainIdHash AND state_hash = @GrainTypeHash
  AND service = @ServiceId AND state = @GrainTypeString AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1
  AND key_text IS NOT DISTINCT FROM @GrainIdExtensionString
  AND version = @GrainStateVersion
RETURNING 0
$sql$),

('ReadReminderRowsKey', $sql$
SELECT grain AS "GrainId", name AS "ReminderName", first_at AS "StartTime", every_ms AS "Period", tag AS "Version"
FROM taba_reminder WHERE service = @ServiceId AND grain = @GrainId
$sql$),

('ReadReminderRowKey', $sql$
SELECT grain AS "GrainId", name AS "ReminderName", first_at AS "StartTime", every_ms AS "Period", tag AS "Version"
FROM taba_reminder WHERE service = @ServiceId AND grain = @GrainId AND name = @ReminderName
$sql$),

('ReadRangeRows1Key', $sql$
SELECT grain AS "GrainId", name AS "ReminderName", first_at AS "StartTime", every_ms AS "Period", tag AS "Version"
FROM taba_reminder WHERE service = @ServiceId AND ring > @BeginHash AND ring <= @EndHash
$sql$),

-- The range goes round the ring's end.
('ReadRangeRows2Key', $sql$
SELECT grain AS "GrainId", name AS "ReminderName", first_at AS "StartTime", every_ms AS "Period", tag AS "Version"
FROM taba_reminder WHERE service = @ServiceId AND (ring > @BeginHash OR ring <= @EndHash)
$sql$),

('UpsertReminderRowKey', $sql$
INSERT INTO taba_reminder AS r (service, grain, name, ring, first_at, every_ms, tag)
VALUES (@ServiceId, @GrainId, @ReminderName, @GrainHash, @StartTime, @Period, nextval('taba_reminder_tag'))
ON CONFLICT (service, grain, name) DO UPDATE
    SET ring = excluded.ring, first_at = excluded.first_at, every_ms = excluded.every_ms, tag = excluded.tag
RETURNING r.tag AS "Version"
$sql$),

('DeleteReminderRowKey', $sql$
WITH gone AS (
    DELETE FROM taba_reminder
    WHERE service = @ServiceId AND grain = @GrainId AND name = @ReminderName AND tag = @Version
    RETURNING tag
)
SELECT count(*) > 0 FROM gone
$sql$),

('DeleteReminderRowsKey', $sql$
DELETE FROM taba_reminder WHERE service = @ServiceId
$sql$);
