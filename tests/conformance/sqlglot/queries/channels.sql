-- name: channels-category-in-three
WITH c AS (
	SELECT tf_purpose AS purpose, sum(tf_amount) AS total FROM transfer, date_dim, account, branch
	WHERE tf_purpose IN (SELECT tf_purpose FROM transfer WHERE tf_priority = 'HIGH') AND tf_date_key = d_key AND d_year = 2023
		AND d_month = 5 AND tf_from_account = account_id AND branch_id = b_id AND b_region = 'WEST'
	GROUP BY tf_purpose),
i AS (
	SELECT tf_purpose AS purpose, sum(tf_amount) AS total FROM transfer, date_dim, account, branch
	WHERE tf_purpose IN (SELECT tf_purpose FROM transfer WHERE tf_priority = 'HIGH') AND tf_date_key = d_key AND d_year = 2023
		AND d_month = 5 AND tf_to_account = account_id AND branch_id = b_id AND b_region = 'WEST'
	GROUP BY tf_purpose)
SELECT purpose, sum(total) AS total_sales
FROM (SELECT * FROM c UNION ALL SELECT * FROM i) AS tmp1
GROUP BY purpose
ORDER BY total_sales, purpose
LIMIT 100

-- name: channels-year-totals-compare
WITH cs AS (
	SELECT d_year AS sold_year, ct_merchant_id, ct_customer_id AS cust, sum(ct_quantity) AS qty, sum(ct_list_amount) AS whole,
		sum(ct_amount) AS sales
	FROM card_tx LEFT JOIN card_refund ON cr_tx_id = ct_id AND ct_merchant_id = cr_merchant_id
	JOIN date_dim ON ct_date_key = d_key
	WHERE cr_tx_id IS NULL
	GROUP BY d_year, ct_merchant_id, ct_customer_id),
ats AS (
	SELECT d_year AS sold_year, at_customer_id AS cust, count(*) AS qty, sum(at_fee) AS whole, sum(at_amount) AS sales
	FROM atm_tx JOIN date_dim ON at_date_key = d_key
	GROUP BY d_year, at_customer_id)
SELECT ct_merchant_id, round(CAST(cs.qty AS double) / coalesce(ats.qty, 1), 2) AS share, cs.qty AS card_qty,
	cs.whole AS card_whole, cs.sales AS card_sales, coalesce(ats.qty, 0) AS other_qty, coalesce(ats.sales, 0) AS other_sales
FROM cs LEFT JOIN ats ON ats.sold_year = cs.sold_year AND ats.cust = cs.cust
WHERE coalesce(ats.qty, 0) > 0 AND cs.sold_year = 2023
ORDER BY ct_merchant_id, card_qty DESC, card_whole DESC, card_sales DESC, other_qty, other_sales, share
LIMIT 100

-- name: channels-missing-keys
SELECT channel, col_name, d_year, d_quarter, m_category, count(*) AS sales_cnt, sum(ext_price) AS sales_amt
FROM (
	SELECT 'card' AS channel, 'ct_campaign_id' AS col_name, d_year, d_quarter, m_category, ct_amount AS ext_price
	FROM card_tx, merchant, date_dim
	WHERE ct_campaign_id IS NULL AND ct_date_key = d_key AND ct_merchant_id = m_id
	UNION ALL
	SELECT 'refund' AS channel, 'cr_reason_id' AS col_name, d_year, d_quarter, m_category, cr_amount AS ext_price
	FROM card_refund, merchant, date_dim
	WHERE cr_reason_id IS NULL AND cr_date_key = d_key AND cr_merchant_id = m_id
) AS foo
GROUP BY channel, col_name, d_year, d_quarter, m_category
ORDER BY channel, col_name, d_year, d_quarter, m_category
LIMIT 100

-- name: channels-gain-with-returns
WITH sold AS (
	SELECT m_id AS sold_merchant, sum(ct_amount) AS sales, sum(ct_fee) AS gain
	FROM card_tx, date_dim, merchant
	WHERE ct_date_key = d_key AND d_date BETWEEN DATE '2023-08-03' AND DATE '2023-08-03' + INTERVAL '30' DAY
		AND ct_merchant_id = m_id
	GROUP BY m_id),
refunded AS (
	SELECT m_id AS refund_merchant, sum(cr_amount) AS refunds, sum(cr_loss) AS loss
	FROM card_refund, date_dim, merchant
	WHERE cr_date_key = d_key AND d_date BETWEEN DATE '2023-08-03' AND DATE '2023-08-03' + INTERVAL '30' DAY
		AND cr_merchant_id = m_id
	GROUP BY m_id),
cash AS (
	SELECT at_atm_id, sum(at_amount) AS sales, sum(at_fee) AS gain FROM atm_tx, date_dim
	WHERE at_date_key = d_key AND d_date BETWEEN DATE '2023-08-03' AND DATE '2023-08-03' + INTERVAL '30' DAY
	GROUP BY at_atm_id)
SELECT channel, id, sum(sales) AS sales, sum(refunds) AS refunds, sum(gain) AS gain
FROM (
	SELECT 'card channel' AS channel, sold.sold_merchant AS id, sales, coalesce(refunds, 0) AS refunds,
		(gain - coalesce(loss, 0)) AS gain
	FROM sold LEFT JOIN refunded ON sold.sold_merchant = refunded.refund_merchant
	UNION ALL
	SELECT 'atm channel' AS channel, at_atm_id AS id, sales, 0 AS refunds, gain FROM cash
) AS x
GROUP BY ROLLUP (channel, id)
ORDER BY channel, id
LIMIT 100

-- name: channels-ship-mode-latency
SELECT substr(b_name, 1, 20), tf_channel, tf_priority,
	sum(CASE WHEN (tf_booked_key - tf_date_key <= 30) THEN 1 ELSE 0 END) AS d30,
	sum(CASE WHEN (tf_booked_key - tf_date_key > 30) AND (tf_booked_key - tf_date_key <= 60) THEN 1 ELSE 0 END) AS d60,
	sum(CASE WHEN (tf_booked_key - tf_date_key > 60) AND (tf_booked_key - tf_date_key <= 90) THEN 1 ELSE 0 END) AS d90,
	sum(CASE WHEN (tf_booked_key - tf_date_key > 90) THEN 1 ELSE 0 END) AS dmore
FROM transfer, account, branch, date_dim
WHERE d_month_seq BETWEEN 1200 AND 1211 AND tf_booked_key = d_key AND tf_from_account = account_id AND branch_id = b_id
GROUP BY substr(b_name, 1, 20), tf_channel, tf_priority
ORDER BY substr(b_name, 1, 20), tf_channel, tf_priority
LIMIT 100

-- name: channels-rank-of-refund-ratio
SELECT channel, item, return_ratio, return_rank, currency_rank
FROM (
	SELECT 'card' AS channel, cards.item, cards.return_ratio, cards.return_rank, cards.currency_rank
	FROM (
		SELECT item, return_ratio, currency_ratio, rank() OVER (ORDER BY return_ratio) AS return_rank,
			rank() OVER (ORDER BY currency_ratio) AS currency_rank
		FROM (
			SELECT ct.ct_merchant_id AS item,
				CAST(sum(coalesce(cr.cr_quantity, 0)) AS decimal(15,4)) / CAST(sum(coalesce(ct.ct_quantity, 0)) AS decimal(15,4))
					AS return_ratio,
				CAST(sum(coalesce(cr.cr_amount, 0)) AS decimal(15,4)) / CAST(sum(coalesce(ct.ct_amount, 0)) AS decimal(15,4))
					AS currency_ratio
			FROM card_tx ct LEFT OUTER JOIN card_refund cr ON ct.ct_id = cr.cr_tx_id AND ct.ct_merchant_id = cr.cr_merchant_id,
				date_dim
			WHERE cr.cr_amount > 1000 AND ct.ct_quantity > 0 AND ct_date_key = d_key AND d_year = 2023 AND d_month = 12
			GROUP BY ct.ct_merchant_id
		) AS in_cards
	) AS cards
	WHERE cards.return_rank <= 10 OR cards.currency_rank <= 10
	UNION
	SELECT 'complaint' AS channel, talks.item, talks.ratio, talks.ratio_rank, talks.ratio_rank
	FROM (
		SELECT item, ratio, rank() OVER (ORDER BY ratio) AS ratio_rank
		FROM (
			SELECT cp_reason_id AS item, CAST(count(cp_resolved_key) AS decimal(15,4)) / CAST(count(*) AS decimal(15,4)) AS ratio
			FROM complaint JOIN date_dim ON cp_date_key = d_key WHERE d_year = 2023
			GROUP BY cp_reason_id
		) AS in_talks
	) AS talks
	WHERE talks.ratio_rank <= 10
) AS tmp
ORDER BY 1, 4, 5, 2
LIMIT 100

-- name: channels-refund-share-per-day
WITH sr_items AS (
	SELECT cr_merchant_id AS item, sum(cr_quantity) AS refunded FROM card_refund, date_dim
	WHERE d_date IN (SELECT d_date FROM date_dim WHERE d_week_seq IN (
			SELECT d_week_seq FROM date_dim WHERE d_date IN (DATE '2023-06-30', DATE '2023-09-27', DATE '2023-11-17')))
		AND cr_date_key = d_key
	GROUP BY cr_merchant_id),
ct_items AS (
	SELECT ct_merchant_id AS item, sum(ct_quantity) AS sold FROM card_tx, date_dim
	WHERE d_date IN (SELECT d_date FROM date_dim WHERE d_week_seq IN (
			SELECT d_week_seq FROM date_dim WHERE d_date IN (DATE '2023-06-30', DATE '2023-09-27', DATE '2023-11-17')))
		AND ct_date_key = d_key
	GROUP BY ct_merchant_id)
SELECT sr_items.item, refunded, refunded / (refunded + sold) / 2.0 * 100 AS refund_share, sold, (refunded + sold) / 2.0 AS mean
FROM sr_items, ct_items
WHERE sr_items.item = ct_items.item
ORDER BY sr_items.item, refunded
LIMIT 100

-- name: channels-similar-revenue
WITH ss AS (
	SELECT m_id AS item, sum(ct_amount) AS rev FROM card_tx, merchant, date_dim
	WHERE ct_merchant_id = m_id
		AND d_date IN (SELECT d_date FROM date_dim
			WHERE d_week_seq = (SELECT d_week_seq FROM date_dim WHERE d_date = DATE '2023-01-03'))
		AND ct_date_key = d_key
	GROUP BY m_id),
rs AS (
	SELECT m_id AS item, sum(cr_amount) AS rev FROM card_refund, merchant, date_dim
	WHERE cr_merchant_id = m_id
		AND d_date IN (SELECT d_date FROM date_dim
			WHERE d_week_seq = (SELECT d_week_seq FROM date_dim WHERE d_date = DATE '2023-01-03'))
		AND cr_date_key = d_key
	GROUP BY m_id)
SELECT ss.item, ss.rev AS sold, ss.rev / ((ss.rev + rs.rev) / 2) * 100 AS sold_dev, rs.rev AS refunded,
	(ss.rev + rs.rev) / 2 AS average
FROM ss, rs
WHERE ss.item = rs.item AND ss.rev BETWEEN 0.9 * rs.rev AND 1.1 * rs.rev AND rs.rev BETWEEN 0.9 * ss.rev AND 1.1 * ss.rev
ORDER BY ss.item, sold
LIMIT 100

-- name: channels-weekday-pivot-two-years
WITH wss AS (
	SELECT d_week_seq, at_atm_id,
		sum(CASE WHEN d_day_name = 'Sunday' THEN at_amount ELSE NULL END) AS sun_sales,
		sum(CASE WHEN d_day_name = 'Monday' THEN at_amount ELSE NULL END) AS mon_sales,
		sum(CASE WHEN d_day_name = 'Tuesday' THEN at_amount ELSE NULL END) AS tue_sales,
		sum(CASE WHEN d_day_name = 'Wednesday' THEN at_amount ELSE NULL END) AS wed_sales,
		sum(CASE WHEN d_day_name = 'Thursday' THEN at_amount ELSE NULL END) AS thu_sales,
		sum(CASE WHEN d_day_name = 'Friday' THEN at_amount ELSE NULL END) AS fri_sales,
		sum(CASE WHEN d_day_name = 'Saturday' THEN at_amount ELSE NULL END) AS sat_sales
	FROM atm_tx, date_dim
	WHERE d_key = at_date_key
	GROUP BY d_week_seq, at_atm_id)
SELECT model1, atm_id1, week1, sun1 / sun2, mon1 / mon2, tue1 / tue2, wed1 / wed2, thu1 / thu2, fri1 / fri2, sat1 / sat2
FROM (
	SELECT model AS model1, wss.d_week_seq AS week1, atm_id AS atm_id1, sun_sales AS sun1, mon_sales AS mon1,
		tue_sales AS tue1, wed_sales AS wed1, thu_sales AS thu1, fri_sales AS fri1, sat_sales AS sat1
	FROM wss, atm, date_dim d
	WHERE d.d_week_seq = wss.d_week_seq AND at_atm_id = atm_id AND d_month_seq BETWEEN 1212 AND 1223) AS y,
	(
	SELECT wss.d_week_seq AS week2, atm_id AS atm_id2, sun_sales AS sun2, mon_sales AS mon2, tue_sales AS tue2,
		wed_sales AS wed2, thu_sales AS thu2, fri_sales AS fri2, sat_sales AS sat2
	FROM wss, atm, date_dim d
	WHERE d.d_week_seq = wss.d_week_seq AND at_atm_id = atm_id AND d_month_seq BETWEEN 1224 AND 1235) AS x
WHERE atm_id1 = atm_id2 AND week1 = week2 - 52
ORDER BY model1, atm_id1, week1
LIMIT 100

-- name: channels-promoted-share
SELECT promotions, total, CAST(promotions AS decimal(15,4)) / CAST(total AS decimal(15,4)) * 100
FROM (
	SELECT sum(ct_amount) AS promotions FROM card_tx, merchant, campaign, date_dim, customer, address
	WHERE ct_date_key = d_key AND ct_campaign_id = cg_id AND ct_customer_id = c_id AND a_id = c_address_id
		AND ct_merchant_id = m_id AND a_utc_offset = 1 AND m_category = 'FOOD' AND (cg_email = 'Y' OR cg_event = 'Y')
		AND d_year = 2023 AND d_month = 11) AS promotional_sales,
	(
	SELECT sum(ct_amount) AS total FROM card_tx, merchant, date_dim, customer, address
	WHERE ct_date_key = d_key AND ct_customer_id = c_id AND a_id = c_address_id AND ct_merchant_id = m_id
		AND a_utc_offset = 1 AND m_category = 'FOOD' AND d_year = 2023 AND d_month = 11) AS all_sales
ORDER BY promotions, total
LIMIT 100

-- name: channels-monthly-by-warehouse
SELECT b_name, b_city, b_region, modes, sale_year, sum(jan_sales) AS jan_sales, sum(feb_sales) AS feb_sales,
	sum(jan_sales / b_id) AS jan_each, sum(jan_net) AS jan_net
FROM (
	SELECT b_name, b_city, b_region, b_id, 'APP' || ',' || 'WEB' AS modes, d_year AS sale_year,
		sum(CASE WHEN d_month = 1 THEN tf_amount ELSE 0 END) AS jan_sales,
		sum(CASE WHEN d_month = 2 THEN tf_amount ELSE 0 END) AS feb_sales,
		sum(CASE WHEN d_month = 1 THEN tf_amount - tf_fee ELSE 0 END) AS jan_net
	FROM transfer, account, branch, date_dim, time_dim
	WHERE tf_from_account = account_id AND branch_id = b_id AND tf_date_key = d_key AND tf_time_key = t_key AND d_year = 2023
		AND t_hour BETWEEN 8 AND 16 AND tf_channel IN ('APP', 'WEB')
	GROUP BY b_name, b_city, b_region, b_id, d_year
	UNION ALL
	SELECT b_name, b_city, b_region, b_id, 'APP' || ',' || 'WEB' AS modes, d_year AS sale_year,
		sum(CASE WHEN d_month = 1 THEN at_amount ELSE 0 END) AS jan_sales,
		sum(CASE WHEN d_month = 2 THEN at_amount ELSE 0 END) AS feb_sales,
		sum(CASE WHEN d_month = 1 THEN at_amount - at_fee ELSE 0 END) AS jan_net
	FROM atm_tx, atm, branch, date_dim, time_dim
	WHERE at_atm_id = atm_id AND branch_id = b_id AND at_date_key = d_key AND at_time_key = t_key AND d_year = 2023
		AND t_hour BETWEEN 8 AND 16
	GROUP BY b_name, b_city, b_region, b_id, d_year
) AS x
GROUP BY b_name, b_city, b_region, modes, sale_year
ORDER BY b_name
LIMIT 100

-- name: channels-top-rollup-rank
SELECT *
FROM (
	SELECT m_category, m_country, m_name, d_year, d_quarter, d_month, sumsales,
		rank() OVER (PARTITION BY m_category ORDER BY sumsales DESC) AS rk
	FROM (
		SELECT m_category, m_country, m_name, d_year, d_quarter, d_month, sum(coalesce(ct_amount * ct_quantity, 0)) AS sumsales
		FROM card_tx, date_dim, merchant
		WHERE ct_date_key = d_key AND ct_merchant_id = m_id AND d_month_seq BETWEEN 1200 AND 1211
		GROUP BY ROLLUP (m_category, m_country, m_name, d_year, d_quarter, d_month)
	) AS dw1
) AS dw2
WHERE rk <= 100
ORDER BY m_category, m_country, m_name, d_year, d_quarter, d_month, sumsales, rk
LIMIT 100

-- name: channels-rollup-hierarchy-rank
SELECT sum(tf_fee) AS total_sum, b_region, b_city, grouping(b_region) + grouping(b_city) AS hierarchy,
	rank() OVER (PARTITION BY grouping(b_region) + grouping(b_city), CASE WHEN grouping(b_city) = 0 THEN b_region END
		ORDER BY sum(tf_fee) DESC) AS rank_within_parent
FROM transfer, date_dim d1, account, branch
WHERE d1.d_month_seq BETWEEN 1200 AND 1211 AND d1.d_key = tf_date_key AND account_id = tf_from_account AND branch_id = b_id
	AND b_region IN (
		SELECT region FROM (
			SELECT b_region AS region, rank() OVER (PARTITION BY b_region ORDER BY sum(tf_fee) DESC) AS ranking
			FROM transfer, account, branch, date_dim
			WHERE d_month_seq BETWEEN 1200 AND 1211 AND d_key = tf_date_key AND account_id = tf_from_account AND branch_id = b_id
			GROUP BY b_region
		) AS tmp1
		WHERE ranking <= 5)
GROUP BY ROLLUP (b_region, b_city)
ORDER BY hierarchy DESC, rank_within_parent
LIMIT 100

-- name: channels-month-before-and-after
WITH v1 AS (
	SELECT m_category, m_country, b_name, b_city, d_year, d_month, sum(ct_amount) AS sum_sales,
		avg(sum(ct_amount)) OVER (PARTITION BY m_category, m_country, b_name, b_city, d_year) AS avg_monthly_sales,
		rank() OVER (PARTITION BY m_category, m_country, b_name, b_city ORDER BY d_year, d_month) AS rn
	FROM merchant, card_tx, date_dim, account, branch
	WHERE ct_merchant_id = m_id AND ct_date_key = d_key AND ct_account_id = account_id AND branch_id = b_id
		AND (d_year = 2023 OR (d_year = 2022 AND d_month = 12) OR (d_year = 2024 AND d_month = 1))
	GROUP BY m_category, m_country, b_name, b_city, d_year, d_month),
v2 AS (
	SELECT v1.m_category, v1.b_name, v1.d_year, v1.d_month, v1.avg_monthly_sales, v1.sum_sales,
		v1_lag.sum_sales AS psum, v1_lead.sum_sales AS nsum
	FROM v1, v1 v1_lag, v1 v1_lead
	WHERE v1.m_category = v1_lag.m_category AND v1.m_category = v1_lead.m_category AND v1.m_country = v1_lag.m_country
		AND v1.m_country = v1_lead.m_country AND v1.b_name = v1_lag.b_name AND v1.b_name = v1_lead.b_name
		AND v1.b_city = v1_lag.b_city AND v1.b_city = v1_lead.b_city AND v1.rn = v1_lag.rn + 1 AND v1.rn = v1_lead.rn - 1)
SELECT *
FROM v2
WHERE d_year = 2023 AND avg_monthly_sales > 0
	AND CASE WHEN avg_monthly_sales > 0 THEN abs(sum_sales - avg_monthly_sales) / avg_monthly_sales ELSE NULL END > 0.1
ORDER BY sum_sales - avg_monthly_sales, nsum
LIMIT 100

-- name: channels-best-and-worst
SELECT asceding.rnk, m1.m_name AS best_performing, m2.m_name AS worst_performing
FROM (
	SELECT * FROM (
		SELECT item, rank() OVER (ORDER BY rank_col ASC) AS rnk
		FROM (
			SELECT ct_merchant_id AS item, avg(ct_fee) AS rank_col FROM card_tx ct1 WHERE ct_channel = 'POS'
			GROUP BY ct_merchant_id
			HAVING avg(ct_fee) > 0.9 * (
				SELECT avg(ct_fee) AS rank_col FROM card_tx WHERE ct_channel = 'POS' AND ct_campaign_id IS NULL GROUP BY ct_channel)
		) AS v1
	) AS v11 WHERE rnk < 11) AS asceding,
	(
	SELECT * FROM (
		SELECT item, rank() OVER (ORDER BY rank_col DESC) AS rnk
		FROM (
			SELECT ct_merchant_id AS item, avg(ct_fee) AS rank_col FROM card_tx ct1 WHERE ct_channel = 'POS'
			GROUP BY ct_merchant_id
			HAVING avg(ct_fee) > 0.9 * (
				SELECT avg(ct_fee) AS rank_col FROM card_tx WHERE ct_channel = 'POS' AND ct_campaign_id IS NULL GROUP BY ct_channel)
		) AS v2
	) AS v21 WHERE rnk < 11) AS descending,
	merchant m1, merchant m2
WHERE asceding.rnk = descending.rnk AND m1.m_id = asceding.item AND m2.m_id = descending.item
ORDER BY asceding.rnk
LIMIT 100

-- name: channels-manufacturers-in-category
SELECT DISTINCT m_name
FROM merchant i1
WHERE m_mcc BETWEEN 738 AND 778
	AND (
		SELECT count(*) AS item_cnt FROM merchant
		WHERE (m_country = i1.m_country AND ((m_category = 'FOOD' AND m_risk < 0.5E0) OR (m_category = 'FUEL' AND m_risk < 0.7E0)))
			OR (m_country = i1.m_country AND m_city = 'Praha')) > 0
ORDER BY m_name
LIMIT 100

-- name: channels-sales-per-day-of-week
SELECT b_name, b_id,
	sum(CASE WHEN d_day_name = 'Sunday' THEN ct_amount ELSE NULL END) AS sun_sales,
	sum(CASE WHEN d_day_name = 'Monday' THEN ct_amount ELSE NULL END) AS mon_sales,
	sum(CASE WHEN d_day_name = 'Tuesday' THEN ct_amount ELSE NULL END) AS tue_sales
FROM date_dim, card_tx, account, branch
WHERE d_key = ct_date_key AND account_id = ct_account_id AND b_id = branch_id AND b_city = 'Brno' AND d_year = 2023
GROUP BY b_name, b_id
ORDER BY b_name, b_id, sun_sales, mon_sales, tue_sales
LIMIT 100

-- name: channels-withdrawn-by-refunders
WITH refunders AS (
	SELECT cr_customer_id AS customer, a_region AS region, sum(cr_amount) AS total
	FROM card_refund, date_dim, customer, address
	WHERE cr_date_key = d_key AND d_year = 2023 AND cr_customer_id = c_id AND c_address_id = a_id
	GROUP BY cr_customer_id, a_region)
SELECT c_id, c_segment, c_given_name, c_family_name, a_street, a_city, a_postcode, total
FROM refunders r1, address, customer
WHERE r1.total > (SELECT avg(total) * 1.2 FROM refunders r2 WHERE r1.region = r2.region)
	AND a_id = c_address_id AND a_region = 'Brno' AND r1.customer = c_id
ORDER BY c_id, c_segment, total
LIMIT 100

-- name: channels-three-quarters
WITH ss AS (
	SELECT a_city, d_quarter, d_year, sum(ct_amount) AS store_sales
	FROM card_tx, date_dim, customer, address
	WHERE ct_date_key = d_key AND ct_customer_id = c_id AND c_address_id = a_id
	GROUP BY a_city, d_quarter, d_year),
ws AS (
	SELECT a_city, d_quarter, d_year, sum(tf_amount) AS web_sales
	FROM transfer, date_dim, customer, address
	WHERE tf_date_key = d_key AND tf_customer_id = c_id AND c_address_id = a_id
	GROUP BY a_city, d_quarter, d_year)
SELECT ss1.a_city, ss1.d_year, ws2.web_sales / ws1.web_sales AS web_q1_q2, ss2.store_sales / ss1.store_sales AS store_q1_q2,
	ws3.web_sales / ws2.web_sales AS web_q2_q3, ss3.store_sales / ss2.store_sales AS store_q2_q3
FROM ss ss1, ss ss2, ss ss3, ws ws1, ws ws2, ws ws3
WHERE ss1.d_quarter = 1 AND ss1.d_year = 2023 AND ss1.a_city = ss2.a_city AND ss2.d_quarter = 2 AND ss2.d_year = 2023
	AND ss2.a_city = ss3.a_city AND ss3.d_quarter = 3 AND ss3.d_year = 2023 AND ss1.a_city = ws1.a_city
	AND ws1.d_quarter = 1 AND ws1.d_year = 2023 AND ss1.a_city = ws2.a_city AND ws2.d_quarter = 2 AND ws2.d_year = 2023
	AND ws1.a_city = ws3.a_city AND ws3.d_quarter = 3 AND ws3.d_year = 2023
	AND CASE WHEN ws1.web_sales > 0 THEN ws2.web_sales / ws1.web_sales ELSE NULL END
		> CASE WHEN ss1.store_sales > 0 THEN ss2.store_sales / ss1.store_sales ELSE NULL END
ORDER BY ss1.a_city

-- name: channels-excess-discount
SELECT sum(ct_cashback) AS excess
FROM card_tx, merchant, date_dim
WHERE m_mcc = 5411 AND m_id = ct_merchant_id AND d_date BETWEEN DATE '2023-01-27' AND DATE '2023-01-27' + INTERVAL '90' DAY
	AND d_key = ct_date_key
	AND ct_cashback > (
		SELECT 1.3 * avg(ct_cashback) FROM card_tx, date_dim
		WHERE ct_merchant_id = m_id AND d_date BETWEEN DATE '2023-01-27' AND DATE '2023-01-27' + INTERVAL '90' DAY
			AND d_key = ct_date_key)
LIMIT 100

-- name: channels-counted-both-ways
WITH ssci AS (
	SELECT ct_customer_id AS customer_key, ct_merchant_id AS item_key FROM card_tx, date_dim
	WHERE ct_date_key = d_key AND d_month_seq BETWEEN 1200 AND 1211 GROUP BY ct_customer_id, ct_merchant_id),
csci AS (
	SELECT cr_customer_id AS customer_key, cr_merchant_id AS item_key FROM card_refund, date_dim
	WHERE cr_date_key = d_key AND d_month_seq BETWEEN 1200 AND 1211 GROUP BY cr_customer_id, cr_merchant_id)
SELECT sum(CASE WHEN ssci.customer_key IS NOT NULL AND csci.customer_key IS NULL THEN 1 ELSE 0 END) AS sold_only,
	sum(CASE WHEN ssci.customer_key IS NULL AND csci.customer_key IS NOT NULL THEN 1 ELSE 0 END) AS refund_only,
	sum(CASE WHEN ssci.customer_key IS NOT NULL AND csci.customer_key IS NOT NULL THEN 1 ELSE 0 END) AS both_ways
FROM ssci FULL OUTER JOIN csci ON ssci.customer_key = csci.customer_key AND ssci.item_key = csci.item_key
LIMIT 100
