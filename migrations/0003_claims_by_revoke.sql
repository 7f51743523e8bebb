-- Finds the revoked claims of a coupon by their time. A claim that is not revoked has no entry.
CREATE INDEX claims_by_revoke ON claims (epoch, revoked_at) WHERE revoked_at IS NOT NULL;
