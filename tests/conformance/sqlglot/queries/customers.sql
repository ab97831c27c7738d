-- name: customers-frequent-buyers
WITH frequent AS (
	SELECT substr(m_name, 1, 30) AS merchant_name, m_id AS merchant_key, d_date AS sold_on, count(*) AS cnt
	FROM card_tx, date_dim, merchant
	WHERE ct_date_key = d_key AND ct_merchant_id = m_id AND d_year IN (2021, 2022, 2023)
	GROUP BY substr(m_name, 1, 30), m_id, d_date
	HAVING count(*) > 4),
max_sales AS (
	SELECT max(csales) AS cmax
	FROM (
		SELECT c_id, sum(ct_quantity * ct_amount) AS csales FROM card_tx, customer, date_dim
		WHERE ct_customer_id = c_id AND ct_date_key = d_key AND d_year IN (2021, 2022, 2023)
		GROUP BY c_id) AS x),
best AS (
	SELECT c_id AS best_id, sum(ct_quantity * ct_amount) AS ssales
	FROM card_tx, customer
	WHERE ct_customer_id = c_id
	GROUP BY c_id
	HAVING sum(ct_quantity * ct_amount) > 0.5 * (SELECT * FROM max_sales))
SELECT sum(sales)
FROM (
	SELECT tf_amount AS sales FROM transfer, date_dim
	WHERE d_year = 2023 AND d_month = 2 AND tf_date_key = d_key AND tf_customer_id IN (SELECT best_id FROM best)
	UNION ALL
	SELECT ct_amount AS sales FROM card_tx, date_dim
	WHERE d_year = 2023 AND d_month = 2 AND ct_date_key = d_key
		AND ct_merchant_id IN (SELECT merchant_key FROM frequent) AND ct_customer_id IN (SELECT best_id FROM best)
) AS y
LIMIT 100

-- name: customers-paid-above-average
WITH ssales AS (
	SELECT c_family_name, c_given_name, b_name, a_region, b_region, m_category, m_risk, sum(ct_amount) AS netpaid
	FROM card_tx, card_refund, branch, merchant, customer, address
	WHERE ct_id = cr_tx_id AND ct_customer_id = c_id AND ct_merchant_id = m_id AND c_branch_id = b_id AND c_address_id = a_id
		AND c_birth_country <> upper(a_country) AND b_city = a_city AND b_region = 'NORTH'
	GROUP BY c_family_name, c_given_name, b_name, a_region, b_region, m_category, m_risk)
SELECT c_family_name, c_given_name, b_name, sum(netpaid) AS paid
FROM ssales
WHERE m_category = 'TRAVEL'
GROUP BY c_family_name, c_given_name, b_name
HAVING sum(netpaid) > (SELECT 0.05 * avg(netpaid) FROM ssales)
ORDER BY c_family_name, c_given_name, b_name

-- name: customers-cohort-extremes
SELECT a_region, c_segment, h_members, count(*) AS cnt1, min(h_vehicles) AS least, max(h_vehicles) AS most, avg(h_vehicles)
FROM customer c, address ca, household
WHERE c.c_address_id = ca.a_id AND h_id = c.c_household_id
	AND EXISTS (
		SELECT * FROM card_tx, date_dim
		WHERE c.c_id = ct_customer_id AND ct_date_key = d_key AND d_year = 2023 AND d_quarter < 4)
	AND (EXISTS (SELECT * FROM web_session, date_dim
			WHERE c.c_id = ws_customer_id AND ws_date_key = d_key AND d_year = 2023 AND d_quarter < 4)
		OR EXISTS (SELECT * FROM complaint, date_dim
			WHERE c.c_id = cp_customer_id AND cp_date_key = d_key AND d_year = 2023 AND d_quarter < 4))
GROUP BY a_region, c_segment, h_members
ORDER BY a_region, c_segment, h_members
LIMIT 100

-- name: customers-households-on-weekends
SELECT c_family_name, c_given_name, c_preferred, ct_card_id, cnt
FROM (
	SELECT ct_card_id, ct_customer_id, count(*) AS cnt
	FROM card_tx, date_dim, merchant, customer AS buyer, household
	WHERE card_tx.ct_date_key = date_dim.d_key AND card_tx.ct_merchant_id = merchant.m_id
		AND card_tx.ct_customer_id = buyer.c_id AND buyer.c_household_id = household.h_id
		AND (date_dim.d_dow BETWEEN 1 AND 3 OR date_dim.d_dow BETWEEN 5 AND 7)
		AND (household.h_housing = 'OWN' OR household.h_housing = 'UNKNOWN') AND household.h_vehicles > 0
		AND CASE WHEN household.h_vehicles > 0 THEN household.h_members / household.h_vehicles ELSE NULL END > 1
		AND date_dim.d_year IN (2021, 2022) AND merchant.m_city IN ('Praha', 'Brno')
	GROUP BY ct_card_id, ct_customer_id
) AS dn, customer
WHERE ct_customer_id = c_id AND cnt BETWEEN 15 AND 20
ORDER BY c_family_name, c_given_name, c_preferred DESC, ct_card_id

-- name: customers-two-addresses
SELECT c_family_name, c_given_name, a_city, bought_city, ct_card_id, extended_price, list_price
FROM (
	SELECT ct_card_id, ct_customer_id, a_city AS bought_city, sum(ct_amount) AS extended_price,
		sum(ct_list_amount) AS list_price, sum(ct_fee) AS fees
	FROM card_tx, date_dim, branch, household, address, customer AS buyer
	WHERE ct_date_key = d_key AND buyer.c_branch_id = b_id AND buyer.c_household_id = h_id AND buyer.c_address_id = a_id
		AND ct_customer_id = buyer.c_id AND d_dow IN (6, 7) AND (h_members = 4 OR h_vehicles = 3) AND d_year = 2023
		AND b_city IN ('Praha', 'Plzen')
	GROUP BY ct_card_id, ct_customer_id, a_city
) AS dn, customer, address AS current_addr
WHERE ct_customer_id = c_id AND customer.c_address_id = current_addr.a_id AND current_addr.a_city <> bought_city
ORDER BY c_family_name, ct_card_id
LIMIT 100

-- name: customers-only-card
SELECT count(*)
FROM (
	SELECT DISTINCT c_family_name, c_given_name, d_date FROM card_tx, date_dim, customer
	WHERE ct_date_key = d_key AND ct_customer_id = c_id AND d_month_seq BETWEEN 1200 AND 1211
	EXCEPT
	SELECT DISTINCT c_family_name, c_given_name, d_date FROM atm_tx, date_dim, customer
	WHERE at_date_key = d_key AND at_customer_id = c_id AND d_month_seq BETWEEN 1200 AND 1211
	EXCEPT
	SELECT DISTINCT c_family_name, c_given_name, d_date FROM transfer, date_dim, customer
	WHERE tf_date_key = d_key AND tf_customer_id = c_id AND d_month_seq BETWEEN 1200 AND 1211
) AS only_cards

-- name: customers-in-all-channels
SELECT count(*)
FROM (
	SELECT DISTINCT c_family_name, c_given_name, d_date FROM card_tx, date_dim, customer
	WHERE ct_date_key = d_key AND ct_customer_id = c_id AND d_month_seq BETWEEN 1200 AND 1211
	INTERSECT
	SELECT DISTINCT c_family_name, c_given_name, d_date FROM atm_tx, date_dim, customer
	WHERE at_date_key = d_key AND at_customer_id = c_id AND d_month_seq BETWEEN 1200 AND 1211
	INTERSECT
	SELECT DISTINCT c_family_name, c_given_name, d_date FROM transfer, date_dim, customer
	WHERE tf_date_key = d_key AND tf_customer_id = c_id AND d_month_seq BETWEEN 1200 AND 1211
) AS hot
LIMIT 100

-- name: customers-half-hours
SELECT *
FROM (
	SELECT count(*) AS h8_30_to_9 FROM card_tx, household, time_dim, customer
	WHERE ct_time_key = t_key AND ct_customer_id = c_id AND c_household_id = h_id AND t_hour = 8 AND t_minute >= 30
		AND ((h_members = 4 AND h_vehicles <= 6) OR (h_members = 2 AND h_vehicles <= 4))) AS s1,
	(
	SELECT count(*) AS h9_to_9_30 FROM card_tx, household, time_dim, customer
	WHERE ct_time_key = t_key AND ct_customer_id = c_id AND c_household_id = h_id AND t_hour = 9 AND t_minute < 30
		AND ((h_members = 4 AND h_vehicles <= 6) OR (h_members = 2 AND h_vehicles <= 4))) AS s2,
	(
	SELECT count(*) AS h9_30_to_10 FROM card_tx, household, time_dim, customer
	WHERE ct_time_key = t_key AND ct_customer_id = c_id AND c_household_id = h_id AND t_hour = 9 AND t_minute >= 30
		AND ((h_members = 4 AND h_vehicles <= 6) OR (h_members = 2 AND h_vehicles <= 4))) AS s3

-- name: customers-morning-to-evening
SELECT CAST(amc AS decimal(15,4)) / CAST(pmc AS decimal(15,4)) AS am_pm_ratio
FROM (
	SELECT count(*) AS amc FROM web_session, time_dim, household, customer
	WHERE ws_time_key = t_key AND ws_customer_id = c_id AND c_household_id = h_id AND t_hour BETWEEN 8 AND 9
		AND h_members = 6 AND ws_pages BETWEEN 5 AND 52) AS at1,
	(
	SELECT count(*) AS pmc FROM web_session, time_dim, household, customer
	WHERE ws_time_key = t_key AND ws_customer_id = c_id AND c_household_id = h_id AND t_hour BETWEEN 19 AND 20
		AND h_members = 6 AND ws_pages BETWEEN 5 AND 52) AS pt
ORDER BY am_pm_ratio
LIMIT 100

-- name: customers-refund-reasons
SELECT ct_customer_id, sum(act_sales) AS sumsales
FROM (
	SELECT ct_account_id, ct_customer_id,
		CASE WHEN cr_quantity IS NOT NULL THEN (ct_quantity - cr_quantity) * ct_amount ELSE ct_quantity * ct_amount END AS act_sales
	FROM card_tx LEFT OUTER JOIN card_refund ON cr_merchant_id = ct_merchant_id AND cr_tx_id = ct_id, reason
	WHERE cr_reason_id = reason_id AND description = 'reason 28'
) AS t
GROUP BY ct_customer_id
ORDER BY sumsales, ct_customer_id
LIMIT 100

-- name: customers-income-and-city
SELECT c_id AS customer_id, c_family_name || ', ' || coalesce(c_given_name, '') AS customername
FROM customer, address, household, card_refund
WHERE a_city = 'Liberec' AND c_address_id = a_id AND h_income_band >= 3 AND h_income_band <= 8 AND h_id = c_household_id
	AND cr_customer_id = c_id
ORDER BY c_id
LIMIT 100

-- name: customers-reason-statistics
SELECT substr(description, 1, 20), avg(ct_quantity), avg(cr_amount), avg(cr_fee)
FROM card_tx, card_refund, web_session, household h1, household h2, customer cd1, customer cd2, address, date_dim, reason
WHERE ct_id = cr_tx_id AND ct_date_key = d_key AND d_year = 2023 AND cd1.c_id = ct_customer_id
	AND cd2.c_id = cr_customer_id AND cd1.c_household_id = h1.h_id AND cd2.c_household_id = h2.h_id
	AND ws_customer_id = cd1.c_id AND reason_id = cr_reason_id AND cd1.c_address_id = a_id
	AND ((h1.h_housing = 'OWN' AND h1.h_housing = h2.h_housing AND ct_amount BETWEEN 100.00 AND 150.00)
		OR (h1.h_housing = 'RENT' AND h1.h_housing = h2.h_housing AND ct_amount BETWEEN 50.00 AND 100.00))
	AND ((a_country = 'CZ' AND a_region IN ('Praha', 'Brno')) OR (a_country = 'SK' AND a_region IN ('Kosice')))
GROUP BY description
ORDER BY substr(description, 1, 20), avg(ct_quantity), avg(cr_amount), avg(cr_fee)
LIMIT 100

-- name: customers-new-by-segment-rollup
SELECT c_segment, d_year, count(*) AS joined, grouping(c_segment, d_year) AS level
FROM customer JOIN date_dim ON c_joined_key = d_key
GROUP BY ROLLUP (c_segment, d_year)
HAVING count(*) > 10
ORDER BY level DESC, c_segment, d_year

-- name: customers-segments-cube
SELECT c_segment, c_preferred, a_country, count(DISTINCT c_id) AS customers, sum(credit_limit) AS limits
FROM customer JOIN account ON customer_id = c_id JOIN address ON a_id = c_address_id
GROUP BY CUBE (c_segment, c_preferred, a_country)
ORDER BY 1, 2, 3

-- name: customers-grouping-sets
SELECT b_region, family, currency, sum(credit_limit) AS limits
FROM account
JOIN branch ON branch_id = b_id
JOIN product ON account.product_id = product.product_id
GROUP BY GROUPING SETS ((b_region, family), (family, currency), (b_region), ())
ORDER BY b_region, family, currency

-- name: customers-lost-since
SELECT c.c_id, c.c_email, last_seen.seen_on
FROM customer AS c
JOIN (
	SELECT customer_id, max(d_date) AS seen_on
	FROM account JOIN card_tx ON ct_account_id = account_id JOIN date_dim ON d_key = ct_date_key
	GROUP BY customer_id
) AS last_seen ON last_seen.customer_id = c.c_id
WHERE last_seen.seen_on < DATE '2023-06-30' - INTERVAL '6' MONTH
	AND NOT EXISTS (SELECT 1 FROM web_session AS w JOIN date_dim AS d ON w.ws_date_key = d.d_key
		WHERE w.ws_customer_id = c.c_id AND d.d_date > last_seen.seen_on)
ORDER BY last_seen.seen_on, c.c_id

-- name: customers-retention-by-cohort
WITH first_tx AS (
	SELECT ct_customer_id AS customer, min(d_month_seq) AS cohort
	FROM card_tx JOIN date_dim ON ct_date_key = d_key GROUP BY ct_customer_id),
activity AS (
	SELECT DISTINCT ct_customer_id AS customer, d_month_seq AS active_month
	FROM card_tx JOIN date_dim ON ct_date_key = d_key),
sizes AS (SELECT cohort, count(*) AS members FROM first_tx GROUP BY cohort)
SELECT f.cohort, a.active_month - f.cohort AS month_number, count(*) AS active, s.members,
	CAST(count(*) AS double) / s.members AS retention
FROM first_tx AS f
JOIN activity AS a ON a.customer = f.customer
JOIN sizes AS s ON s.cohort = f.cohort
GROUP BY f.cohort, a.active_month - f.cohort, s.members
ORDER BY 1, 2

-- name: customers-deciles
WITH spend AS (
	SELECT ct_customer_id, sum(ct_amount) AS total FROM card_tx WHERE ct_approved GROUP BY ct_customer_id),
tiled AS (SELECT ct_customer_id, total, ntile(10) OVER (ORDER BY total DESC) AS decile FROM spend)
SELECT decile, count(*) AS customers, min(total) AS least, max(total) AS most, sum(total) AS volume,
	sum(sum(total)) OVER (ORDER BY decile) AS running, c_segment
FROM tiled JOIN customer ON c_id = ct_customer_id
GROUP BY decile, c_segment
ORDER BY decile, c_segment

-- name: customers-household-members
SELECT h.h_id, h.h_members, members.n, members.oldest
FROM household AS h
LEFT JOIN (
	SELECT c_household_id AS hid, count(*) AS n, min(c_birth_date) AS oldest FROM customer GROUP BY c_household_id
) AS members ON members.hid = h.h_id
WHERE coalesce(members.n, 0) <> h.h_members
ORDER BY h.h_id

-- name: customers-managers-of-managers
SELECT e.e_name AS officer, m.e_name AS manager, mm.e_name AS director, b_name, clients
FROM employee AS e
LEFT JOIN employee AS m ON e.e_manager_id = m.e_id
LEFT JOIN employee AS mm ON m.e_manager_id = mm.e_id
JOIN branch ON b_id = e.e_branch_id
CROSS JOIN (SELECT count(*) AS clients FROM customer WHERE c_preferred) AS counted
WHERE e.e_role = 'officer'
ORDER BY e.e_name

-- name: customers-better-than-colleagues
SELECT e.e_name, e.e_salary
FROM employee AS e
WHERE e.e_salary > ALL (SELECT o.e_salary FROM employee AS o WHERE o.e_branch_id = e.e_branch_id AND o.e_id <> e.e_id)
	AND e.e_branch_id = ANY (SELECT b_id FROM branch WHERE b_opened < DATE '2010-01-01')
ORDER BY e.e_salary DESC

-- name: customers-values-join
SELECT seg.label, count(c_id) AS customers, avg(date_diff('year', c_birth_date, DATE '2024-01-01')) AS age
FROM (VALUES ('MASS', 'Mass market'), ('AFFLUENT', 'Affluent'), ('PRIVATE', 'Private banking')) AS seg (code, label)
LEFT JOIN customer ON c_segment = seg.code
GROUP BY seg.label
ORDER BY 2 DESC
