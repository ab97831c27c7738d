-- name: modern-latest-row
SELECT account_id, d_date, bl_closing
FROM (
	SELECT bl_account_id AS account_id, d_date, bl_closing,
		row_number() OVER (PARTITION BY bl_account_id ORDER BY d_date DESC) AS newest
	FROM balance JOIN date_dim ON d_key = bl_date_key
) AS numbered
WHERE newest = 1

-- name: modern-max-by
SELECT ct_customer_id, max_by(ct_merchant_id, ct_amount) AS dearest, min_by(ct_date_key, ct_amount) AS cheapest_day,
	approx_distinct(ct_merchant_id) AS merchants, arbitrary(ct_currency) AS one_currency
FROM card_tx
GROUP BY ct_customer_id
ORDER BY merchants DESC

-- name: modern-filtered-aggregates
SELECT m_category, sum(ct_amount) FILTER (WHERE ct_channel = 'POS') AS pos,
	sum(ct_amount) FILTER (WHERE ct_channel = 'WEB' AND ct_approved) AS web,
	count(DISTINCT ct_customer_id) FILTER (WHERE ct_points > 0) AS collectors,
	avg(ct_amount) AS mean
FROM card_tx JOIN merchant ON ct_merchant_id = m_id
GROUP BY m_category
ORDER BY m_category

-- name: modern-using
SELECT account_id, network, daily_limit, credit_limit, product_name
FROM account
JOIN card USING (account_id)
JOIN product USING (product_id)
WHERE account.status = 'OPEN' AND card.kind = 'CREDIT'
ORDER BY account_id, network

-- name: modern-using-chain-of-ctes
WITH opened AS (SELECT product_id, branch_id, count(*) AS opened FROM account GROUP BY product_id, branch_id),
closed AS (
	SELECT product_id, branch_id, count(*) AS closed FROM account WHERE closed_key IS NOT NULL GROUP BY product_id, branch_id),
lent AS (SELECT ln_product_id AS product_id, ln_branch_id AS branch_id, sum(ln_principal) AS lent FROM loan GROUP BY 1, 2)
SELECT b_name, product_name, opened, coalesce(closed, 0) AS closed, lent
FROM opened
LEFT JOIN closed USING (product_id, branch_id)
LEFT JOIN lent USING (product_id, branch_id)
JOIN product USING (product_id)
JOIN branch ON b_id = branch_id
ORDER BY b_name, product_name

-- name: modern-named-window
SELECT ct_customer_id, ct_date_key, ct_amount,
	sum(ct_amount) OVER w AS running, avg(ct_amount) OVER w AS mean, lag(ct_amount, 1) OVER by_customer AS before,
	lead(ct_channel) OVER by_customer AS next_channel
FROM card_tx
WHERE ct_approved
WINDOW by_customer AS (PARTITION BY ct_customer_id ORDER BY ct_date_key, ct_time_key),
	w AS (PARTITION BY ct_customer_id ORDER BY ct_date_key ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)
ORDER BY ct_customer_id, ct_date_key

-- name: modern-scalar-queries-in-select
SELECT c.c_id, c.c_family_name,
	(SELECT count(*) FROM account AS a WHERE a.customer_id = c.c_id) AS accounts,
	(SELECT max(l.ln_principal) FROM loan AS l WHERE l.ln_customer_id = c.c_id) AS largest_loan,
	EXISTS (SELECT 1 FROM complaint WHERE cp_customer_id = c.c_id) AS complained
FROM customer AS c
WHERE c.c_preferred
ORDER BY accounts DESC, c.c_id

-- name: modern-cte-in-subquery
SELECT b_name, figures.total
FROM branch
JOIN (
	WITH by_branch AS (
		SELECT branch_id, sum(credit_limit) AS total FROM account GROUP BY branch_id),
	positive AS (SELECT * FROM by_branch WHERE total > 0)
	SELECT branch_id, total FROM positive
) AS figures ON figures.branch_id = b_id
ORDER BY figures.total DESC

-- name: modern-cte-shadowing
WITH loan AS (SELECT ln_id, ln_customer_id, ln_principal FROM loan WHERE ln_status = 'ACTIVE'),
customer AS (SELECT c_id, c_segment FROM customer WHERE c_preferred)
SELECT c_segment, sum(ln_principal) AS lent, count(ln_id) AS loans
FROM customer JOIN loan ON ln_customer_id = c_id
GROUP BY c_segment
ORDER BY lent DESC

-- name: modern-dead-columns
WITH wide AS (
	SELECT c_id, c_email, c_birth_date, upper(c_birth_country) AS born_in, count(*) OVER (PARTITION BY c_segment) AS peers
	FROM customer),
unused AS (SELECT e_salary FROM employee WHERE e_role = 'officer')
SELECT c_id FROM wide WHERE peers > 1000

-- name: modern-distinct-from
SELECT a1.account_id, a2.account_id AS other_account
FROM account AS a1 JOIN account AS a2 ON a1.customer_id = a2.customer_id AND a1.account_id < a2.account_id
WHERE a1.closed_key IS DISTINCT FROM a2.closed_key AND NOT (a1.currency IS NOT DISTINCT FROM a2.currency)

-- name: modern-try-cast
SELECT TRY_CAST(a_postcode AS integer) AS postcode, count(*) AS addresses,
	count(*) FILTER (WHERE TRY_CAST(a_postcode AS integer) IS NULL) AS odd
FROM address
GROUP BY TRY_CAST(a_postcode AS integer)
ORDER BY addresses DESC NULLS LAST

-- name: modern-aggregate-order
SELECT ct_customer_id, array_agg(ct_merchant_id ORDER BY ct_date_key, ct_time_key) AS visited,
	cardinality(array_agg(DISTINCT ct_channel)) AS channels
FROM card_tx
GROUP BY ct_customer_id

-- name: modern-set-operations-nested
SELECT tf_from_account AS account FROM transfer WHERE tf_status = 'FAILED'
INTERSECT
(SELECT at_account_id FROM atm_tx WHERE at_kind = 'WITHDRAWAL' UNION SELECT ct_account_id FROM card_tx WHERE NOT ct_approved)
EXCEPT
SELECT account_id FROM account WHERE status = 'CLOSED'
ORDER BY account

-- name: modern-union-of-three-periods
SELECT 'day' AS period, CAST(d_date AS varchar) AS label, sum(ct_amount) AS total
FROM card_tx JOIN date_dim ON d_key = ct_date_key GROUP BY d_date
UNION ALL
SELECT 'month', date_format(d_date, '%Y-%m'), sum(ct_amount)
FROM card_tx JOIN date_dim ON d_key = ct_date_key GROUP BY date_format(d_date, '%Y-%m')
UNION ALL
SELECT 'year', CAST(d_year AS varchar), sum(ct_amount)
FROM card_tx JOIN date_dim ON d_key = ct_date_key GROUP BY d_year
ORDER BY period, label

-- name: modern-date-trunc
SELECT date_trunc('month', lp_due_date) AS month_start, lp_channel, sum(lp_due) AS due,
	sum(lp_paid) AS paid, sum(lp_due) - sum(lp_paid) AS missing,
	date_add('month', 1, date_trunc('month', lp_due_date)) AS month_end
FROM loan_payment
WHERE lp_due_date >= date_add('year', -2, DATE '2024-06-30')
GROUP BY date_trunc('month', lp_due_date), lp_channel
ORDER BY month_start, lp_channel

-- name: modern-conversion-funnel
WITH visits AS (
	SELECT ws_campaign_id, ws_customer_id, count(*) AS sessions, bool_or(ws_converted) AS converted, sum(ws_seconds) AS seconds
	FROM web_session GROUP BY ws_campaign_id, ws_customer_id),
spenders AS (
	SELECT ct_campaign_id, ct_customer_id, sum(ct_amount) AS spent FROM card_tx GROUP BY ct_campaign_id, ct_customer_id)
SELECT cg_name, count(v.ws_customer_id) AS visitors, count_if(v.converted) AS converted, count(s.ct_customer_id) AS spenders,
	sum(s.spent) AS spent, max(cg_cost) / nullif(count(s.ct_customer_id), 0) AS cost_per_spender
FROM campaign
LEFT JOIN visits AS v ON v.ws_campaign_id = cg_id
LEFT JOIN spenders AS s ON s.ct_campaign_id = cg_id AND s.ct_customer_id = v.ws_customer_id
GROUP BY cg_name
ORDER BY spent DESC NULLS LAST

-- name: modern-if-and-greatest
SELECT account_id, if(status = 'OPEN', credit_limit, CAST(0 AS decimal(12,2))) AS live_limit,
	greatest(credit_limit, monthly_fee * 12) AS larger, coalesce(closed_key, opened_key) AS last_key
FROM account JOIN product ON product.product_id = account.product_id
WHERE if(currency = 'CZK', credit_limit > 100000, credit_limit > 4000)

-- name: modern-recursive-hierarchy
WITH RECURSIVE chain (e_id, boss_id, depth) AS (
	SELECT e_id, e_manager_id, 0 FROM employee WHERE e_manager_id IS NULL
	UNION ALL
	SELECT e.e_id, e.e_manager_id, depth + 1 FROM employee AS e JOIN chain AS c ON e.e_manager_id = c.e_id)
SELECT depth, count(*) AS people FROM chain GROUP BY depth ORDER BY depth

-- name: modern-lateral
SELECT b_name, top.e_name, top.e_salary
FROM branch
CROSS JOIN LATERAL (
	SELECT e_name, e_salary FROM employee WHERE e_branch_id = b_id ORDER BY e_salary DESC LIMIT 3) AS top
ORDER BY b_name, top.e_salary DESC

-- name: modern-unnest-split
SELECT word, count(*) AS times
FROM complaint CROSS JOIN UNNEST(split(lower(cp_comment), ' ')) AS words (word)
WHERE length(word) > 3
GROUP BY word
ORDER BY times DESC
LIMIT 50

-- name: modern-unnest-sequence
SELECT b_name, grade, count(e_id) AS people
FROM branch
CROSS JOIN UNNEST(ARRAY['officer', 'adviser', 'director']) WITH ORDINALITY AS g (grade, n)
LEFT JOIN employee ON e_branch_id = b_id AND e_role = grade
GROUP BY b_name, grade, n
ORDER BY b_name, n

-- name: modern-table-and-values
SELECT r.reason_id, r.description, w.weight
FROM (TABLE reason) AS r
JOIN (VALUES (1, 0.5), (2, 1.5)) AS w (reason_id, weight) ON w.reason_id = r.reason_id

-- name: modern-star-over-join
SELECT h.*, c.c_id, c.c_segment
FROM household AS h JOIN customer AS c ON c.c_household_id = h.h_id
WHERE h.h_income_band > 5

-- name: modern-parenthesised-joins
SELECT c_id, account_id, card_id, network
FROM customer LEFT JOIN (account JOIN card USING (account_id)) ON customer_id = c_id
WHERE c_segment = 'PRIVATE'

-- name: modern-approximate-percentiles
SELECT m_category, approx_percentile(ct_amount, 0.5E0) AS median, approx_percentile(ct_amount, 0.95E0) AS p95,
	percent_rank() OVER (ORDER BY avg(ct_amount)) AS place
FROM card_tx JOIN merchant ON m_id = ct_merchant_id
GROUP BY m_category

-- name: modern-order-by-hidden
SELECT c_family_name AS name, c_given_name
FROM customer
WHERE c_joined_key > 20200101
ORDER BY name, c_birth_date DESC, upper(c_email)
