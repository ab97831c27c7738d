-- name: cards-refunds-above-average
WITH customer_total AS (
	SELECT cr_customer_id AS ctr_customer, cr_merchant_id AS ctr_merchant, sum(cr_amount) AS ctr_total
	FROM card_refund, date_dim
	WHERE cr_date_key = d_key AND d_year = 2023
	GROUP BY cr_customer_id, cr_merchant_id)
SELECT c_id, c_family_name
FROM customer_total ctr1, merchant, customer
WHERE ctr1.ctr_total > (
		SELECT avg(ctr_total) * 1.2 FROM customer_total ctr2 WHERE ctr1.ctr_merchant = ctr2.ctr_merchant)
	AND m_id = ctr1.ctr_merchant AND m_country = 'CZ' AND ctr1.ctr_customer = c_id
ORDER BY c_id
LIMIT 100

-- name: cards-week-over-week
WITH both_channels AS (
	SELECT day_key, amount
	FROM (
		SELECT ct_date_key AS day_key, ct_amount AS amount FROM card_tx
		UNION ALL
		SELECT at_date_key AS day_key, at_amount AS amount FROM atm_tx
	) AS x),
weeks AS (
	SELECT d_week_seq,
		sum(CASE WHEN d_day_name = 'Sunday' THEN amount ELSE NULL END) AS sun,
		sum(CASE WHEN d_day_name = 'Monday' THEN amount ELSE NULL END) AS mon,
		sum(CASE WHEN d_day_name = 'Friday' THEN amount ELSE NULL END) AS fri
	FROM both_channels, date_dim
	WHERE d_key = day_key
	GROUP BY d_week_seq)
SELECT week1, round(sun1 / sun2, 2), round(mon1 / mon2, 2), round(fri1 / fri2, 2)
FROM (
	SELECT weeks.d_week_seq AS week1, sun AS sun1, mon AS mon1, fri AS fri1
	FROM weeks, date_dim
	WHERE date_dim.d_week_seq = weeks.d_week_seq AND d_year = 2022) AS y,
	(
	SELECT weeks.d_week_seq AS week2, sun AS sun2, mon AS mon2, fri AS fri2
	FROM weeks, date_dim
	WHERE date_dim.d_week_seq = weeks.d_week_seq AND d_year = 2023) AS z
WHERE week1 = week2 - 53
ORDER BY week1

-- name: cards-brand-by-year
SELECT dt.d_year, merchant.m_mcc AS code, merchant.m_category AS category, sum(ct_amount) AS sum_agg
FROM date_dim dt, card_tx, merchant
WHERE dt.d_key = card_tx.ct_date_key AND card_tx.ct_merchant_id = merchant.m_id AND merchant.m_country = 'AT'
	AND dt.d_month = 11
GROUP BY dt.d_year, merchant.m_category, merchant.m_mcc
ORDER BY dt.d_year, sum_agg DESC, code
LIMIT 100

-- name: cards-growth-across-channels
WITH year_total AS (
	SELECT c_id AS cust, c_given_name AS given, c_family_name AS family_name, d_year AS dyear,
		sum((ct_list_amount - ct_fee - ct_cashback + ct_amount) / 2) AS total, 'c' AS sale_type
	FROM customer, card_tx, date_dim
	WHERE c_id = ct_customer_id AND ct_date_key = d_key
	GROUP BY c_id, c_given_name, c_family_name, d_year
	UNION ALL
	SELECT c_id, c_given_name, c_family_name, d_year, sum(at_amount - at_fee), 'a'
	FROM customer, atm_tx, date_dim
	WHERE c_id = at_customer_id AND at_date_key = d_key
	GROUP BY c_id, c_given_name, c_family_name, d_year
	UNION ALL
	SELECT c_id, c_given_name, c_family_name, d_year, sum(tf_amount - tf_fee), 't'
	FROM customer, transfer, date_dim
	WHERE c_id = tf_customer_id AND tf_date_key = d_key
	GROUP BY c_id, c_given_name, c_family_name, d_year)
SELECT c2.cust, c2.given, c2.family_name
FROM year_total c1, year_total c2, year_total a1, year_total a2, year_total t1, year_total t2
WHERE c2.cust = c1.cust AND c1.cust = a1.cust AND c1.cust = a2.cust AND c1.cust = t1.cust AND c1.cust = t2.cust
	AND c1.sale_type = 'c' AND c2.sale_type = 'c' AND a1.sale_type = 'a' AND a2.sale_type = 'a'
	AND t1.sale_type = 't' AND t2.sale_type = 't' AND c1.dyear = 2022 AND c2.dyear = 2023 AND a1.dyear = 2022
	AND a2.dyear = 2023 AND t1.dyear = 2022 AND t2.dyear = 2023 AND c1.total > 0 AND a1.total > 0 AND t1.total > 0
	AND CASE WHEN a1.total > 0 THEN a2.total / a1.total ELSE NULL END
		> CASE WHEN c1.total > 0 THEN c2.total / c1.total ELSE NULL END
	AND CASE WHEN a1.total > 0 THEN a2.total / a1.total ELSE NULL END
		> CASE WHEN t1.total > 0 THEN t2.total / t1.total ELSE NULL END
ORDER BY c2.cust, c2.given, c2.family_name
LIMIT 100

-- name: cards-profit-rollup-by-channel
WITH ssr AS (
	SELECT m_id, sum(sales) AS sales, sum(gain) AS gain, sum(refunds) AS refunds, sum(loss) AS loss
	FROM (
		SELECT ct_merchant_id AS place, ct_date_key AS at_day, ct_amount AS sales, ct_fee AS gain,
			CAST(0 AS decimal(12,2)) AS refunds, CAST(0 AS decimal(12,2)) AS loss
		FROM card_tx
		UNION ALL
		SELECT cr_merchant_id, cr_date_key, CAST(0 AS decimal(12,2)), CAST(0 AS decimal(8,2)), cr_amount, cr_loss
		FROM card_refund
	) AS sales_refunds, date_dim, merchant
	WHERE at_day = d_key AND d_date BETWEEN DATE '2023-08-23' AND DATE '2023-08-23' + INTERVAL '14' DAY AND place = m_id
	GROUP BY m_id),
asr AS (
	SELECT atm_id, sum(at_amount) AS sales, sum(at_fee) AS gain
	FROM atm_tx, date_dim, atm
	WHERE at_date_key = d_key AND d_date BETWEEN DATE '2023-08-23' AND DATE '2023-08-23' + INTERVAL '14' DAY
		AND at_atm_id = atm_id
	GROUP BY atm_id)
SELECT channel, id, sum(sales) AS sales, sum(refunds) AS refunds, sum(gain) AS gain
FROM (
	SELECT 'card channel' AS channel, concat('merchant', CAST(m_id AS varchar)) AS id, sales, refunds, gain - loss AS gain
	FROM ssr
	UNION ALL
	SELECT 'atm channel', concat('atm', CAST(atm_id AS varchar)), sales, CAST(0 AS decimal(12,2)), gain FROM asr
) AS x
GROUP BY ROLLUP (channel, id)
ORDER BY channel, id
LIMIT 100

-- name: cards-dear-merchants-by-region
SELECT a.a_region AS region, count(*) AS cnt
FROM address a, customer c, card_tx s, date_dim d, merchant i
WHERE a.a_id = c.c_address_id AND c.c_id = s.ct_customer_id AND s.ct_date_key = d.d_key AND s.ct_merchant_id = i.m_id
	AND d.d_month_seq = (SELECT DISTINCT d_month_seq FROM date_dim WHERE d_year = 2023 AND d_month = 1)
	AND i.m_risk > 1.2E0 * (SELECT avg(j.m_risk) FROM merchant j WHERE j.m_category = i.m_category)
GROUP BY a.a_region
HAVING count(*) >= 10
ORDER BY cnt, a.a_region
LIMIT 100

-- name: cards-average-by-demography
SELECT m_name, avg(ct_quantity) AS agg1, avg(ct_list_amount) AS agg2, avg(ct_cashback) AS agg3, avg(ct_amount) AS agg4
FROM card_tx, customer, household, date_dim, merchant, campaign
WHERE ct_date_key = d_key AND ct_merchant_id = m_id AND ct_customer_id = c_id AND c_household_id = h_id
	AND ct_campaign_id = cg_id AND c_segment = 'YOUNG' AND h_housing = 'RENT' AND (cg_email = 'N' OR cg_event = 'N')
	AND d_year = 2023
GROUP BY m_name
ORDER BY m_name
LIMIT 100

-- name: cards-postcode-areas
SELECT m_name, sum(ct_amount)
FROM card_tx, date_dim, merchant, (
	SELECT a_postcode FROM (
		SELECT substr(a_postcode, 1, 5) AS a_postcode FROM address
		WHERE substr(a_postcode, 1, 5) IN ('11000', '12000', '60200', '70030')
		INTERSECT
		SELECT a_postcode FROM (
			SELECT substr(a_postcode, 1, 5) AS a_postcode, count(*) AS cnt
			FROM address, customer
			WHERE a_id = c_address_id AND c_preferred
			GROUP BY a_postcode
			HAVING count(*) > 10) AS a1) AS a2) AS v1
WHERE ct_merchant_id = m_id AND ct_date_key = d_key AND d_quarter = 2 AND d_year = 2023
	AND substr(m_city, 1, 2) = substr(v1.a_postcode, 1, 2)
GROUP BY m_name
ORDER BY m_name

-- name: cards-quantity-brackets
SELECT
	CASE WHEN (SELECT count(*) FROM card_tx WHERE ct_quantity BETWEEN 1 AND 20) > 74129
		THEN (SELECT avg(ct_cashback) FROM card_tx WHERE ct_quantity BETWEEN 1 AND 20)
		ELSE (SELECT avg(ct_fee) FROM card_tx WHERE ct_quantity BETWEEN 1 AND 20) END AS bucket1,
	CASE WHEN (SELECT count(*) FROM card_tx WHERE ct_quantity BETWEEN 21 AND 40) > 122840
		THEN (SELECT avg(ct_cashback) FROM card_tx WHERE ct_quantity BETWEEN 21 AND 40)
		ELSE (SELECT avg(ct_fee) FROM card_tx WHERE ct_quantity BETWEEN 21 AND 40) END AS bucket2
FROM reason
WHERE reason_id = 1

-- name: cards-active-somewhere-else
SELECT h_housing, h_income_band, count(*) AS cnt1, h_members, count(*) AS cnt2
FROM customer c, address ca, household
WHERE c.c_address_id = ca.a_id AND a_region IN ('Brno', 'Zlin', 'Olomouc') AND h_id = c.c_household_id
	AND EXISTS (
		SELECT * FROM card_tx, date_dim
		WHERE c.c_id = ct_customer_id AND ct_date_key = d_key AND d_year = 2023 AND d_month BETWEEN 1 AND 4)
	AND (EXISTS (
			SELECT * FROM atm_tx, date_dim
			WHERE c.c_id = at_customer_id AND at_date_key = d_key AND d_year = 2023 AND d_month BETWEEN 1 AND 4)
		OR EXISTS (
			SELECT * FROM transfer, date_dim
			WHERE c.c_id = tf_customer_id AND tf_date_key = d_key AND d_year = 2023 AND d_month BETWEEN 1 AND 4))
GROUP BY h_housing, h_income_band, h_members
ORDER BY h_housing, h_income_band, h_members
LIMIT 100

-- name: cards-year-total-two-channels
WITH year_total AS (
	SELECT c_id AS cust, c_email AS email, d_year AS dyear, sum(ct_list_amount - ct_cashback) AS total, 'c' AS kind
	FROM customer, card_tx, date_dim
	WHERE c_id = ct_customer_id AND ct_date_key = d_key
	GROUP BY c_id, c_email, d_year
	UNION ALL
	SELECT c_id AS cust, c_email AS email, d_year AS dyear, sum(at_amount - at_fee) AS total, 'a' AS kind
	FROM customer, atm_tx, date_dim
	WHERE c_id = at_customer_id AND at_date_key = d_key
	GROUP BY c_id, c_email, d_year)
SELECT second_c.cust, second_c.email
FROM year_total first_c, year_total second_c, year_total first_a, year_total second_a
WHERE second_c.cust = first_c.cust AND first_c.cust = first_a.cust AND first_c.cust = second_a.cust
	AND first_c.kind = 'c' AND first_a.kind = 'a' AND second_c.kind = 'c' AND second_a.kind = 'a'
	AND first_c.dyear = 2022 AND second_c.dyear = 2023 AND first_a.dyear = 2022 AND second_a.dyear = 2023
	AND first_c.total > 0 AND first_a.total > 0
	AND CASE WHEN first_a.total > 0 THEN second_a.total / first_a.total ELSE 0.0 END
		> CASE WHEN first_c.total > 0 THEN second_c.total / first_c.total ELSE 0.0 END
ORDER BY second_c.cust
LIMIT 100

-- name: cards-revenue-share-of-category
SELECT m_id, m_name, m_category, m_country, sum(ct_amount) AS revenue,
	sum(ct_amount) * 100 / sum(sum(ct_amount)) OVER (PARTITION BY m_category) AS share
FROM card_tx, merchant, date_dim
WHERE ct_merchant_id = m_id AND m_category IN ('FOOD', 'FUEL', 'TRAVEL') AND ct_date_key = d_key
	AND d_date BETWEEN DATE '2023-02-22' AND DATE '2023-02-22' + INTERVAL '30' DAY
GROUP BY m_id, m_name, m_category, m_country
ORDER BY m_category, m_name, m_id, share

-- name: cards-brands-in-all-channels
WITH cross_merchants AS (
	SELECT m_id AS merchant_key
	FROM merchant, (
		SELECT m.m_category AS category, m.m_country AS country FROM card_tx, merchant m, date_dim d1
		WHERE ct_merchant_id = m.m_id AND ct_date_key = d1.d_key AND d1.d_year BETWEEN 2021 AND 2023
		INTERSECT
		SELECT m.m_category, m.m_country FROM card_refund, merchant m, date_dim d2
		WHERE cr_merchant_id = m.m_id AND cr_date_key = d2.d_key AND d2.d_year BETWEEN 2021 AND 2023
	) AS x
	WHERE m_category = category AND m_country = country),
avg_sales AS (
	SELECT avg(quantity * amount) AS average_sales
	FROM (
		SELECT ct_quantity AS quantity, ct_list_amount AS amount FROM card_tx, date_dim
		WHERE ct_date_key = d_key AND d_year BETWEEN 2021 AND 2023
		UNION ALL
		SELECT cr_quantity AS quantity, cr_amount AS amount FROM card_refund, date_dim
		WHERE cr_date_key = d_key AND d_year BETWEEN 2021 AND 2023
	) AS x)
SELECT channel, m_category, m_country, sum(sales), sum(number_sales)
FROM (
	SELECT 'card' AS channel, m_category, m_country, sum(ct_quantity * ct_list_amount) AS sales, count(*) AS number_sales
	FROM card_tx, merchant, date_dim
	WHERE ct_merchant_id IN (SELECT merchant_key FROM cross_merchants) AND ct_merchant_id = m_id AND ct_date_key = d_key
		AND d_year = 2023 AND d_month = 11
	GROUP BY m_category, m_country
	HAVING sum(ct_quantity * ct_list_amount) > (SELECT average_sales FROM avg_sales)
	UNION ALL
	SELECT 'refund' AS channel, m_category, m_country, sum(cr_quantity * cr_amount), count(*)
	FROM card_refund, merchant, date_dim
	WHERE cr_merchant_id IN (SELECT merchant_key FROM cross_merchants) AND cr_merchant_id = m_id AND cr_date_key = d_key
		AND d_year = 2023 AND d_month = 11
	GROUP BY m_category, m_country
	HAVING sum(cr_quantity * cr_amount) > (SELECT average_sales FROM avg_sales)
) AS y
GROUP BY ROLLUP (channel, m_category, m_country)
ORDER BY channel, m_category, m_country
LIMIT 100

-- name: cards-same-week-last-year
WITH weekly AS (
	SELECT ct_channel AS channel, d_year AS sold_year, d_week_seq AS sold_week, sum(ct_quantity * ct_list_amount) AS sales,
		count(*) AS number_sales
	FROM card_tx JOIN date_dim ON ct_date_key = d_key
	GROUP BY ct_channel, d_year, d_week_seq)
SELECT this_year.channel AS ty_channel, this_year.sales AS ty_sales, this_year.number_sales AS ty_number,
	last_year.channel AS ly_channel, last_year.sales AS ly_sales, last_year.number_sales AS ly_number
FROM weekly this_year, weekly last_year
WHERE this_year.sold_week = (
		SELECT d_week_seq FROM date_dim WHERE d_year = 2023 AND d_month = 12 AND d_dow = 1 AND d_key = 20231211)
	AND last_year.sold_week = this_year.sold_week - 52 AND this_year.channel = last_year.channel
ORDER BY this_year.channel
LIMIT 100

-- name: cards-postcode-or-big
SELECT a_postcode, sum(ct_amount)
FROM card_tx, customer, address, date_dim
WHERE ct_customer_id = c_id AND c_address_id = a_id
	AND (substr(a_postcode, 1, 5) IN ('11000', '12000') OR a_region IN ('Praha', 'Brno') OR ct_amount > 500)
	AND ct_date_key = d_key AND d_quarter = 2 AND d_year = 2023
GROUP BY a_postcode
ORDER BY a_postcode
LIMIT 100

-- name: cards-orders-from-several-places
SELECT count(DISTINCT cs1.ct_id) AS order_count, sum(cs1.ct_fee) AS total_fee, sum(cs1.ct_amount) AS total_amount
FROM card_tx cs1, date_dim, address, customer
WHERE d_date BETWEEN DATE '2023-02-01' AND DATE '2023-02-01' + INTERVAL '60' DAY AND cs1.ct_date_key = d_key
	AND cs1.ct_customer_id = c_id AND c_address_id = a_id AND a_region = 'Ostrava'
	AND EXISTS (
		SELECT * FROM card_tx cs2 WHERE cs1.ct_account_id = cs2.ct_account_id AND cs1.ct_merchant_id <> cs2.ct_merchant_id)
	AND NOT EXISTS (SELECT * FROM card_refund cr1 WHERE cs1.ct_id = cr1.cr_tx_id)
ORDER BY count(DISTINCT cs1.ct_id)
LIMIT 100

-- name: cards-quantity-spread
SELECT m_id, m_name, m_country,
	count(ct_quantity) AS tx_count, avg(ct_quantity) AS tx_avg, stddev_samp(ct_quantity) AS tx_stdev,
	stddev_samp(ct_quantity) / avg(ct_quantity) AS tx_cov,
	count(cr_quantity) AS refund_count, avg(cr_quantity) AS refund_avg, stddev_samp(cr_quantity) AS refund_stdev
FROM card_tx, card_refund, date_dim d1, date_dim d2, merchant
WHERE d1.d_quarter_name = '2023Q1' AND d1.d_key = ct_date_key AND m_id = ct_merchant_id
	AND ct_customer_id = cr_customer_id AND ct_id = cr_tx_id AND cr_date_key = d2.d_key
	AND d2.d_quarter_name IN ('2023Q1', '2023Q2', '2023Q3')
GROUP BY m_id, m_name, m_country
ORDER BY m_id, m_name, m_country
LIMIT 100

-- name: cards-average-on-four-levels
SELECT m_name, a_country, a_region, a_city, avg(CAST(ct_quantity AS decimal(12,2))) AS agg1,
	avg(ct_list_amount) AS agg2, avg(year(c_birth_date)) AS agg3
FROM card_tx, customer, household, address, date_dim, merchant
WHERE ct_date_key = d_key AND ct_merchant_id = m_id AND ct_customer_id = c_id AND c_household_id = h_id
	AND c_address_id = a_id AND h_members = 3 AND month(c_birth_date) IN (1, 6, 8, 9) AND d_year = 2023
GROUP BY ROLLUP (m_name, a_country, a_region, a_city)
ORDER BY a_country, a_region, a_city, m_name
LIMIT 100

-- name: cards-customers-out-of-town
SELECT m_category AS category, m_mcc AS mcc, sum(ct_amount) AS ext_price
FROM date_dim, card_tx, merchant, customer, address, branch
WHERE d_key = ct_date_key AND ct_merchant_id = m_id AND d_month = 11 AND d_year = 2023 AND ct_customer_id = c_id
	AND c_address_id = a_id AND substr(a_postcode, 1, 5) <> substr(b_city, 1, 5) AND c_branch_id = b_id
GROUP BY m_category, m_mcc
ORDER BY ext_price DESC, category, mcc
LIMIT 100

-- name: cards-bought-refunded-withdrawn
SELECT m_id, m_name, b_id, b_name, sum(ct_amount) AS card_gain, sum(cr_loss) AS refund_loss, sum(at_amount) AS cash
FROM card_tx, card_refund, atm_tx, date_dim d1, date_dim d2, date_dim d3, branch, merchant, customer
WHERE d1.d_month = 4 AND d1.d_year = 2023 AND d1.d_key = ct_date_key AND m_id = ct_merchant_id AND c_id = ct_customer_id
	AND b_id = c_branch_id AND ct_customer_id = cr_customer_id AND ct_id = cr_tx_id AND cr_date_key = d2.d_key
	AND d2.d_month BETWEEN 4 AND 10 AND d2.d_year = 2023 AND cr_customer_id = at_customer_id AND at_date_key = d3.d_key
	AND d3.d_month BETWEEN 4 AND 10 AND d3.d_year = 2023
GROUP BY m_id, m_name, b_id, b_name
ORDER BY m_id, m_name, b_id, b_name
LIMIT 100

-- name: cards-six-buckets
SELECT *
FROM (SELECT avg(ct_list_amount) AS b1_lp, count(ct_list_amount) AS b1_cnt, count(DISTINCT ct_list_amount) AS b1_cntd
		FROM card_tx WHERE ct_quantity BETWEEN 0 AND 5 AND (ct_list_amount BETWEEN 8 AND 18 OR ct_cashback BETWEEN 4 AND 14)
	) AS b1,
	(SELECT avg(ct_list_amount) AS b2_lp, count(ct_list_amount) AS b2_cnt, count(DISTINCT ct_list_amount) AS b2_cntd
		FROM card_tx WHERE ct_quantity BETWEEN 6 AND 10 AND (ct_list_amount BETWEEN 90 AND 100 OR ct_fee BETWEEN 2 AND 5)
	) AS b2,
	(SELECT avg(ct_list_amount) AS b3_lp, count(ct_list_amount) AS b3_cnt, count(DISTINCT ct_list_amount) AS b3_cntd
		FROM card_tx WHERE ct_quantity BETWEEN 11 AND 15 AND (ct_list_amount BETWEEN 142 AND 152 OR ct_points > 80)
	) AS b3
LIMIT 100

-- name: cards-manufacturers-in-the-evening
SELECT t_hour, t_minute, m_category, sum(ext_price) AS ext_price
FROM merchant, (
	SELECT ct_amount AS ext_price, ct_merchant_id AS sold_merchant, ct_time_key AS time_key
	FROM card_tx, date_dim WHERE d_key = ct_date_key AND d_month = 11 AND d_year = 2023
	UNION ALL
	SELECT -cr_amount AS ext_price, cr_merchant_id AS sold_merchant, ct_time_key AS time_key
	FROM card_refund, card_tx, date_dim
	WHERE ct_id = cr_tx_id AND d_key = cr_date_key AND d_month = 11 AND d_year = 2023
) AS tmp, time_dim
WHERE sold_merchant = m_id AND m_country = 'DE' AND time_key = t_key AND (t_shift = 'morning' OR t_shift = 'evening')
GROUP BY m_category, t_hour, t_minute
ORDER BY ext_price DESC, m_category, t_hour, t_minute

-- name: cards-monthly-deviation
SELECT *
FROM (
	SELECT m_category, m_country, m_name, d_month, sum(ct_amount) AS sum_sales,
		avg(sum(ct_amount)) OVER (PARTITION BY m_category, m_country, m_name) AS avg_monthly_sales
	FROM merchant, card_tx, date_dim
	WHERE ct_merchant_id = m_id AND ct_date_key = d_key AND d_year = 2023
		AND ((m_category IN ('FOOD', 'FUEL') AND m_country IN ('CZ', 'SK')) OR (m_category = 'TRAVEL' AND m_country = 'AT'))
	GROUP BY m_category, m_country, m_name, d_month
) AS tmp1
WHERE CASE WHEN avg_monthly_sales <> 0 THEN abs(sum_sales - avg_monthly_sales) / avg_monthly_sales ELSE NULL END > 0.1
ORDER BY sum_sales - avg_monthly_sales, m_name
LIMIT 100

-- name: cards-cumulative-by-day
WITH by_day AS (
	SELECT ct_merchant_id AS merchant_key, d_date,
		sum(sum(ct_amount)) OVER (PARTITION BY ct_merchant_id ORDER BY d_date
			ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cume_sales
	FROM card_tx, date_dim
	WHERE ct_date_key = d_key AND d_month_seq BETWEEN 1200 AND 1211 AND ct_merchant_id IS NOT NULL
	GROUP BY ct_merchant_id, d_date),
refunds_by_day AS (
	SELECT cr_merchant_id AS merchant_key, d_date,
		sum(sum(cr_amount)) OVER (PARTITION BY cr_merchant_id ORDER BY d_date
			ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cume_sales
	FROM card_refund, date_dim
	WHERE cr_date_key = d_key AND d_month_seq BETWEEN 1200 AND 1211 AND cr_merchant_id IS NOT NULL
	GROUP BY cr_merchant_id, d_date)
SELECT *
FROM (
	SELECT merchant_key, d_date, sold, refunded,
		max(sold) OVER (PARTITION BY merchant_key ORDER BY d_date
			ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS sold_so_far,
		max(refunded) OVER (PARTITION BY merchant_key ORDER BY d_date
			ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS refunded_so_far
	FROM (
		SELECT coalesce(s.merchant_key, r.merchant_key) AS merchant_key, coalesce(s.d_date, r.d_date) AS d_date,
			s.cume_sales AS sold, r.cume_sales AS refunded
		FROM by_day s FULL OUTER JOIN refunds_by_day r ON s.merchant_key = r.merchant_key AND s.d_date = r.d_date
	) AS x
) AS y
WHERE sold_so_far > refunded_so_far
ORDER BY merchant_key, d_date
LIMIT 100
