-- name: risk-balance-before-after
SELECT b_name, account_id,
	sum(CASE WHEN d_date < DATE '2023-03-11' THEN bl_closing ELSE 0 END) AS before_day,
	sum(CASE WHEN d_date >= DATE '2023-03-11' THEN bl_closing ELSE 0 END) AS after_day
FROM balance, branch, account, date_dim
WHERE account_id = bl_account_id AND branch_id = b_id AND bl_date_key = d_key AND credit_limit BETWEEN 0.99 AND 1000.49
	AND d_date BETWEEN DATE '2023-03-11' - INTERVAL '30' DAY AND DATE '2023-03-11' + INTERVAL '30' DAY
GROUP BY b_name, account_id
ORDER BY b_name, account_id
LIMIT 100

-- name: risk-balance-ratio
SELECT *
FROM (
	SELECT b_name, currency,
		sum(CASE WHEN d_date < DATE '2023-03-11' THEN bl_available ELSE 0 END) AS inv_before,
		sum(CASE WHEN d_date >= DATE '2023-03-11' THEN bl_available ELSE 0 END) AS inv_after
	FROM balance, branch, account, date_dim
	WHERE account_id = bl_account_id AND branch_id = b_id AND bl_date_key = d_key
	GROUP BY b_name, currency
) AS x
WHERE CASE WHEN inv_before > 0 THEN inv_after / inv_before ELSE NULL END BETWEEN 2.000 / 3.000 AND 3.000 / 2.000
ORDER BY b_name, currency
LIMIT 100

-- name: risk-balance-rollup
SELECT family, tier, product_name, currency, avg(bl_closing) AS qoh
FROM balance, date_dim, account, product
WHERE bl_date_key = d_key AND bl_account_id = account_id AND account.product_id = product.product_id
	AND d_month_seq BETWEEN 1200 AND 1211
GROUP BY ROLLUP (product_name, tier, family, currency)
ORDER BY qoh, product_name, tier, family, currency
LIMIT 100

-- name: risk-balance-volatility
WITH inv AS (
	SELECT b_name, b_id, account_id, d_month, stdev, mean, CASE mean WHEN 0 THEN NULL ELSE stdev / mean END AS cov
	FROM (
		SELECT b_name, b_id, account_id, d_month, stddev_samp(bl_closing) AS stdev, avg(bl_closing) AS mean
		FROM balance, account, branch, date_dim
		WHERE bl_account_id = account_id AND branch_id = b_id AND bl_date_key = d_key AND d_year = 2023
		GROUP BY b_name, b_id, account_id, d_month
	) AS foo
	WHERE CASE mean WHEN 0 THEN 0E0 ELSE stdev / mean END > 1E0)
SELECT inv1.b_id, inv1.account_id, inv1.d_month, inv1.mean, inv1.cov, inv2.b_id AS b_id2, inv2.account_id AS account_id2,
	inv2.d_month AS d_month2, inv2.mean AS mean2, inv2.cov AS cov2
FROM inv inv1, inv inv2
WHERE inv1.account_id = inv2.account_id AND inv1.b_id = inv2.b_id AND inv1.d_month = 1 AND inv2.d_month = 2
ORDER BY inv1.b_id, inv1.account_id, inv1.d_month, inv1.mean, inv1.cov, inv2.d_month, inv2.mean, inv2.cov

-- name: risk-structuring
SELECT tf_from_account, d_date, count(*) AS transfers, sum(tf_amount) AS total, max(tf_amount) AS largest
FROM transfer JOIN date_dim ON d_key = tf_date_key
WHERE tf_amount BETWEEN 9000 AND 9999.99 AND tf_status = 'BOOKED'
GROUP BY tf_from_account, d_date
HAVING count(*) >= 3 AND sum(tf_amount) > 2 * (
	SELECT avg(t2.tf_amount) FROM transfer AS t2 WHERE t2.tf_from_account = transfer.tf_from_account)
ORDER BY total DESC, tf_from_account

-- name: risk-round-trips
SELECT t1.tf_from_account AS origin, t1.tf_to_account AS first_hop, t2.tf_to_account AS second_hop,
	t1.tf_amount AS sent, t3.tf_amount AS came_back
FROM transfer AS t1
JOIN transfer AS t2 ON t2.tf_from_account = t1.tf_to_account AND t2.tf_date_key >= t1.tf_date_key
JOIN transfer AS t3 ON t3.tf_from_account = t2.tf_to_account AND t3.tf_to_account = t1.tf_from_account
	AND t3.tf_date_key >= t2.tf_date_key
WHERE t1.tf_amount > 10000 AND t3.tf_amount BETWEEN t1.tf_amount * 0.9 AND t1.tf_amount * 1.1
ORDER BY sent DESC
LIMIT 50

-- name: risk-dormant-then-active
WITH gaps AS (
	SELECT tf_from_account, d_date, tf_amount,
		lag(d_date) OVER (PARTITION BY tf_from_account ORDER BY d_date) AS previous_day
	FROM transfer JOIN date_dim ON d_key = tf_date_key)
SELECT tf_from_account, previous_day, d_date, date_diff('day', previous_day, d_date) AS silent_days, tf_amount
FROM gaps
WHERE previous_day IS NOT NULL AND date_diff('day', previous_day, d_date) > 180 AND tf_amount > 1000
ORDER BY silent_days DESC, tf_from_account

-- name: risk-exposure-in-euro
SELECT currency, sum(bl_closing) AS exposure, sum(CAST(bl_closing AS double) * fx_rate.fx_rate) AS in_euro
FROM balance
JOIN account ON account_id = bl_account_id
LEFT JOIN fx_rate ON fx_base = currency AND fx_quote = 'EUR' AND fx_date_key = bl_date_key
WHERE bl_date_key = (SELECT max(bl_date_key) FROM balance)
GROUP BY currency
ORDER BY in_euro DESC

-- name: risk-concentration
SELECT b_region, family, exposure, exposure / sum(exposure) OVER () AS share_of_all,
	exposure / sum(exposure) OVER (PARTITION BY b_region) AS share_of_region,
	row_number() OVER (PARTITION BY b_region ORDER BY exposure DESC, family) AS place
FROM (
	SELECT b_region, family, sum(ln_principal) AS exposure
	FROM loan JOIN branch ON b_id = ln_branch_id JOIN product ON product_id = ln_product_id
	WHERE ln_status <> 'PAID'
	GROUP BY b_region, family
) AS summed
ORDER BY b_region, place

-- name: risk-complaints-after-loss
SELECT description, count(DISTINCT cp_customer_id) AS people, sum(lost) AS lost
FROM complaint
JOIN reason ON reason_id = cp_reason_id
LEFT JOIN (
	SELECT cr_customer_id AS who, sum(cr_loss) AS lost FROM card_refund GROUP BY cr_customer_id
) AS losses ON who = cp_customer_id
WHERE cp_resolved_key IS NULL
GROUP BY description
HAVING sum(lost) > 0
ORDER BY lost DESC

-- name: risk-complaint-resolution
SELECT cp_channel, d1.d_year AS raised_year, count(*) AS raised, count(d2.d_key) AS resolved,
	avg(date_diff('day', d1.d_date, d2.d_date)) AS mean_days
FROM complaint
JOIN date_dim AS d1 ON d1.d_key = cp_date_key
LEFT JOIN date_dim AS d2 ON d2.d_key = cp_resolved_key
GROUP BY cp_channel, d1.d_year
ORDER BY cp_channel, raised_year

-- name: risk-exposure-change
WITH monthly AS (
	SELECT d_month_seq, ln_branch_id, sum(ln_principal) AS lent FROM loan JOIN date_dim ON d_key = ln_start_key
	GROUP BY d_month_seq, ln_branch_id)
SELECT now_month.ln_branch_id, now_month.d_month_seq, now_month.lent, then_month.lent AS lent_year_ago,
	now_month.lent - coalesce(then_month.lent, 0) AS change
FROM monthly AS now_month
LEFT JOIN monthly AS then_month
	ON then_month.ln_branch_id = now_month.ln_branch_id AND then_month.d_month_seq = now_month.d_month_seq - 12
ORDER BY change DESC, now_month.ln_branch_id

-- name: risk-moving-average
SELECT bl_account_id, d_date, bl_closing,
	avg(bl_closing) OVER (PARTITION BY bl_account_id ORDER BY d_date ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS week_mean,
	min(bl_closing) OVER (PARTITION BY bl_account_id ORDER BY d_date ROWS BETWEEN 29 PRECEDING AND CURRENT ROW) AS month_low,
	first_value(bl_closing) OVER (PARTITION BY bl_account_id ORDER BY d_date) AS opening
FROM balance JOIN date_dim ON d_key = bl_date_key
WHERE d_year = 2023
ORDER BY bl_account_id, d_date

-- name: risk-overdrawn-accounts
SELECT account_id, c_family_name, low
FROM account
JOIN customer ON c_id = customer_id
JOIN (SELECT bl_account_id, min(bl_closing) AS low FROM balance GROUP BY bl_account_id) AS lows ON bl_account_id = account_id
WHERE low < -credit_limit AND status IN ('OPEN', 'FROZEN')
	AND (SELECT count(*) FROM transfer WHERE tf_to_account = account_id AND tf_status = 'BOOKED') < 3
ORDER BY low, account_id

-- name: risk-merchant-outliers
SELECT m_id, m_name, m_risk, s.mean_risk, (m_risk - s.mean_risk) / s.deviation AS z
FROM merchant, (SELECT m_category AS category, avg(m_risk) AS mean_risk, stddev(m_risk) AS deviation
	FROM merchant GROUP BY m_category) AS s
WHERE m_category = s.category AND s.deviation > 0E0 AND (m_risk - s.mean_risk) / s.deviation > 3E0
ORDER BY z DESC

-- name: risk-approval-rate
SELECT network, kind, t_shift, count(*) AS attempts, count_if(ct_approved) AS approved,
	CAST(count_if(ct_approved) AS double) / count(*) AS rate
FROM card_tx
JOIN card ON card_id = ct_card_id
JOIN time_dim ON t_key = ct_time_key
WHERE ct_currency NOT IN (SELECT currency FROM account WHERE account_id = ct_account_id)
GROUP BY GROUPING SETS ((network, kind, t_shift), (network), ())
ORDER BY 1, 2, 3

-- name: risk-card-testing
SELECT ct_card_id, d_date, t_hour, count(*) AS small_ones, count(DISTINCT ct_merchant_id) AS merchants
FROM card_tx, date_dim, time_dim
WHERE ct_date_key = d_key AND ct_time_key = t_key AND ct_amount < 2.00
	AND ct_card_id IN (
		SELECT ct_card_id FROM card_tx WHERE NOT ct_approved
		EXCEPT
		SELECT card_id FROM card WHERE kind = 'VIRTUAL')
GROUP BY ct_card_id, d_date, t_hour
HAVING count(*) > 5
ORDER BY small_ones DESC, ct_card_id

-- name: risk-collateral-shortfall
SELECT ln_id, ln_principal, paid, ln_principal - paid AS open_amount,
	CASE WHEN ln_principal - paid > 100000 THEN 'large' WHEN ln_principal - paid > 10000 THEN 'medium' ELSE 'small' END AS size,
	d_date AS ends_on
FROM loan
JOIN (SELECT lp_loan_id, sum(lp_paid) AS paid FROM loan_payment GROUP BY lp_loan_id) AS p ON p.lp_loan_id = ln_id
JOIN date_dim ON d_key = ln_end_key
WHERE d_date BETWEEN DATE '2024-01-01' AND DATE '2024-01-01' + INTERVAL '3' MONTH
ORDER BY open_amount DESC

-- name: risk-penalty-months
SELECT EXTRACT(YEAR FROM lp_due_date) AS due_year, EXTRACT(MONTH FROM lp_due_date) AS due_month, sum(lp_penalty) AS penalties,
	sum(sum(lp_penalty)) OVER (PARTITION BY EXTRACT(YEAR FROM lp_due_date) ORDER BY EXTRACT(MONTH FROM lp_due_date)
		ROWS UNBOUNDED PRECEDING) AS running
FROM loan_payment
GROUP BY EXTRACT(YEAR FROM lp_due_date), EXTRACT(MONTH FROM lp_due_date)
ORDER BY due_year, due_month

-- name: risk-not-in-list
SELECT ln_id, ln_customer_id, ln_rate
FROM loan
WHERE ln_customer_id NOT IN (SELECT cp_customer_id FROM complaint WHERE cp_customer_id IS NOT NULL)
	AND ln_rate BETWEEN (SELECT min(ln_rate) FROM loan WHERE ln_status = 'PAID')
		AND (SELECT avg(ln_rate) + 2 * stddev_pop(ln_rate) FROM loan WHERE ln_status = 'PAID')
ORDER BY ln_rate DESC, ln_id
