create table if not exists orders (
  id uuid primary key default gen_random_uuid(),
  customer text not null,
  idempotency_key text not null,
  sku text not null,
  quantity integer not null check (quantity > 0),
  cents integer not null,
  status text not null default 'placing' check (status in ('placing', 'payment-pending', 'confirmed', 'rejected')),
  placed_at timestamptz not null default now(),
  unique (customer, idempotency_key)
);
-- The next step of each order that is not done yet. `settle`: stock and payment, by orders; `notify`: by notifications.
create table if not exists outbox (
  order_id uuid primary key references orders,
  step text not null default 'settle' check (step in ('settle', 'notify')),
  due_at timestamptz not null,
  traceparent text
);
create index if not exists outbox_due on outbox (step, due_at);
