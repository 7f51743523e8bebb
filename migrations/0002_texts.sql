-- What the page of a sale shows. Null until the operator sets it.

ALTER TABLE coupons ADD COLUMN title TEXT;
ALTER TABLE coupons ADD COLUMN description TEXT;
ALTER TABLE coupons ADD COLUMN image_url TEXT;
