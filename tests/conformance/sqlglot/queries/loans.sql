-- name: loans-pricing-summary
SELECT lp_status, lp_channel, sum(lp_due) AS due, sum(lp_paid) AS paid, sum(lp_due * (1 - lp_discount)) AS discounted,
	sum(lp_due * (1 - lp_discount) * (1 + lp_tax)) AS charged, avg(lp_paid) AS mean_paid, avg(lp_discount) AS mean_discount,
	count(*) AS payments
FROM loan_payment
WHERE lp_due_date <= DATE '2024-12-01' - INTERVAL '90' DAY
GROUP BY lp_status, lp_channel
ORDER BY lp_status, lp_channel

-- name: loans-cheapest-officer
SELECT e_salary, e_name, b_name, ln_id, ln_rate, b_city, b_region
FROM loan, employee, branch
WHERE ln_officer_id = e_id AND e_branch_id = b_id AND ln_term = 36 AND ln_status LIKE '%BACKED' AND b_region = 'NORTH'
	AND ln_rate = (
		SELECT min(ln_rate) FROM loan, employee, branch AS inner_branch
		WHERE ln_officer_id = e_id AND e_branch_id = inner_branch.b_id AND inner_branch.b_region = branch.b_region)
ORDER BY e_salary DESC, b_name, e_name, ln_id
LIMIT 100

-- name: loans-unpaid-by-priority
SELECT lp_loan_id, sum(lp_due * (1 - lp_discount)) AS open_amount, d_date, ln_status
FROM customer, loan, loan_payment, date_dim
WHERE c_segment = 'AFFLUENT' AND c_id = ln_customer_id AND lp_loan_id = ln_id AND d_key = ln_start_key
	AND d_date < DATE '2024-03-15' AND lp_booked_date > DATE '2024-03-15'
GROUP BY lp_loan_id, d_date, ln_status
ORDER BY open_amount DESC, d_date
LIMIT 10

-- name: loans-late-by-status
SELECT ln_status, count(*) AS loans
FROM loan
WHERE ln_start_key BETWEEN 20230701 AND 20230930
	AND EXISTS (SELECT * FROM loan_payment WHERE lp_loan_id = ln_id AND lp_paid_date > lp_due_date)
GROUP BY ln_status
ORDER BY ln_status

-- name: loans-local-volume
SELECT b_name, sum(lp_due * (1 - lp_discount)) AS revenue
FROM customer, loan, loan_payment, employee, branch, address
WHERE c_id = ln_customer_id AND lp_loan_id = ln_id AND ln_officer_id = e_id AND c_branch_id = e_branch_id
	AND e_branch_id = b_id AND c_address_id = a_id AND a_country = 'CZ'
	AND lp_booked_date >= DATE '2023-01-01' AND lp_booked_date < DATE '2023-01-01' + INTERVAL '1' YEAR
GROUP BY b_name
ORDER BY revenue DESC

-- name: loans-forecast
SELECT sum(lp_due * lp_discount) AS gained
FROM loan_payment
WHERE lp_booked_date >= DATE '2024-01-01' AND lp_booked_date < DATE '2024-01-01' + INTERVAL '1' YEAR
	AND lp_discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND lp_line < 24

-- name: loans-flows-between-regions
SELECT giving, taking, booked_year, sum(volume) AS revenue
FROM (
	SELECT b1.b_region AS giving, b2.b_region AS taking, EXTRACT(YEAR FROM lp_booked_date) AS booked_year,
		lp_due * (1 - lp_discount) AS volume
	FROM employee, loan_payment, loan, customer, branch b1, branch b2
	WHERE e_id = ln_officer_id AND ln_id = lp_loan_id AND c_id = ln_customer_id AND e_branch_id = b1.b_id
		AND c_branch_id = b2.b_id
		AND ((b1.b_region = 'NORTH' AND b2.b_region = 'SOUTH') OR (b1.b_region = 'SOUTH' AND b2.b_region = 'NORTH'))
		AND lp_booked_date BETWEEN DATE '2022-01-01' AND DATE '2023-12-31'
) AS moved
GROUP BY giving, taking, booked_year
ORDER BY giving, taking, booked_year

-- name: loans-market-share
SELECT o_year, sum(CASE WHEN region = 'NORTH' THEN volume ELSE 0 END) / sum(volume) AS share
FROM (
	SELECT EXTRACT(YEAR FROM d_date) AS o_year, lp_due * (1 - lp_discount) AS volume, b2.b_region AS region
	FROM product, employee, loan_payment, loan, customer, branch b1, branch b2, date_dim
	WHERE product_id = ln_product_id AND e_id = ln_officer_id AND lp_loan_id = ln_id AND ln_customer_id = c_id
		AND c_branch_id = b1.b_id AND b1.b_city = 'Praha' AND e_branch_id = b2.b_id AND ln_start_key = d_key
		AND d_date BETWEEN DATE '2022-01-01' AND DATE '2023-12-31' AND tier = 'GOLD'
) AS every_region
GROUP BY o_year
ORDER BY o_year

-- name: loans-profit-by-product
SELECT region, o_year, sum(profit) AS sum_profit
FROM (
	SELECT b_region AS region, EXTRACT(YEAR FROM lp_booked_date) AS o_year,
		lp_due * (1 - lp_discount) - monthly_fee * lp_line AS profit
	FROM product, employee, loan_payment, loan, branch
	WHERE e_id = ln_officer_id AND product_id = ln_product_id AND ln_id = lp_loan_id AND e_branch_id = b_id
		AND product_name LIKE '%green%'
) AS gains
GROUP BY region, o_year
ORDER BY region, o_year DESC

-- name: loans-customers-paying-back
SELECT c_id, c_family_name, sum(lp_penalty) AS penalties, a_city, c_email
FROM customer, loan, loan_payment, address
WHERE c_id = ln_customer_id AND lp_loan_id = ln_id AND lp_status = 'R' AND c_address_id = a_id
	AND ln_start_key >= 20231001 AND ln_start_key < 20240101
GROUP BY c_id, c_family_name, c_email, a_city
ORDER BY penalties DESC
LIMIT 20

-- name: loans-important-branches
SELECT ln_branch_id, sum(ln_principal * ln_rate) AS worth
FROM loan, branch
WHERE ln_branch_id = b_id AND b_region = 'EAST'
GROUP BY ln_branch_id
HAVING sum(ln_principal * ln_rate) > (
	SELECT sum(ln_principal * ln_rate) * 0.0001E0 FROM loan, branch WHERE ln_branch_id = b_id AND b_region = 'EAST')
ORDER BY worth DESC

-- name: loans-channel-priority
SELECT lp_channel,
	sum(CASE WHEN ln_status = 'URGENT' OR ln_status = 'HIGH' THEN 1 ELSE 0 END) AS high_lines,
	sum(CASE WHEN ln_status <> 'URGENT' AND ln_status <> 'HIGH' THEN 1 ELSE 0 END) AS low_lines
FROM loan, loan_payment
WHERE ln_id = lp_loan_id AND lp_channel IN ('BRANCH', 'APP') AND lp_booked_date < lp_paid_date
	AND lp_due_date < lp_booked_date AND lp_paid_date >= DATE '2023-01-01'
	AND lp_paid_date < DATE '2023-01-01' + INTERVAL '12' MONTH
GROUP BY lp_channel
ORDER BY lp_channel

-- name: loans-per-customer-distribution
SELECT c_count, count(*) AS custdist
FROM (
	SELECT c_id, count(ln_id)
	FROM customer LEFT OUTER JOIN loan ON c_id = ln_customer_id AND ln_status NOT LIKE '%special%requests%'
	GROUP BY c_id
) AS c_orders (c_id, c_count)
GROUP BY c_count
ORDER BY custdist DESC, c_count DESC

-- name: loans-promotion-effect
SELECT 100.00 * sum(CASE WHEN family LIKE 'PROMO%' THEN lp_due * (1 - lp_discount) ELSE 0 END)
	/ sum(lp_due * (1 - lp_discount)) AS promo_revenue
FROM loan_payment, loan, product
WHERE lp_loan_id = ln_id AND ln_product_id = product_id AND lp_booked_date >= DATE '2023-09-01'
	AND lp_booked_date < DATE '2023-09-01' + INTERVAL '1' MONTH

-- name: loans-top-officer
WITH revenue (officer_no, total_revenue) AS (
	SELECT ln_officer_id, sum(lp_due * (1 - lp_discount))
	FROM loan JOIN loan_payment ON lp_loan_id = ln_id
	WHERE lp_booked_date >= DATE '2023-01-01' AND lp_booked_date < DATE '2023-01-01' + INTERVAL '3' MONTH
	GROUP BY ln_officer_id)
SELECT e_id, e_name, e_role, total_revenue
FROM employee, revenue
WHERE e_id = officer_no AND total_revenue = (SELECT max(total_revenue) FROM revenue)
ORDER BY e_id

-- name: loans-officers-per-product
SELECT family, tier, ln_term, count(DISTINCT ln_officer_id) AS officers
FROM loan, product
WHERE product_id = ln_product_id AND family <> 'STAFF' AND tier NOT LIKE 'BASIC%' AND ln_term IN (12, 24, 36, 60)
	AND ln_officer_id NOT IN (SELECT e_id FROM employee WHERE e_role LIKE '%trainee%')
GROUP BY family, tier, ln_term
ORDER BY officers DESC, family, tier, ln_term

-- name: loans-small-quantity
SELECT sum(lp_due) / 7.0 AS avg_yearly
FROM loan_payment, loan, product
WHERE lp_loan_id = ln_id AND product_id = ln_product_id AND family = 'MORTGAGE' AND tier = 'SILVER'
	AND lp_paid < (
		SELECT 0.2 * avg(p.lp_paid) FROM loan_payment AS p JOIN loan AS l ON p.lp_loan_id = l.ln_id
		WHERE l.ln_product_id = product_id)

-- name: loans-large-customers
SELECT c_family_name, c_id, ln_id, ln_start_key, ln_principal, sum(lp_paid)
FROM customer, loan, loan_payment
WHERE ln_id IN (SELECT lp_loan_id FROM loan_payment GROUP BY lp_loan_id HAVING sum(lp_paid) > 300000)
	AND c_id = ln_customer_id AND ln_id = lp_loan_id
GROUP BY c_family_name, c_id, ln_id, ln_start_key, ln_principal
ORDER BY ln_principal DESC, ln_start_key
LIMIT 100

-- name: loans-discounted-revenue
SELECT sum(lp_due * (1 - lp_discount)) AS revenue
FROM loan_payment JOIN loan ON lp_loan_id = ln_id JOIN product ON product_id = ln_product_id
WHERE (family = 'CAR' AND tier IN ('GOLD', 'SILVER') AND lp_line BETWEEN 1 AND 11 AND lp_channel = 'APP')
	OR (family = 'HOME' AND tier IN ('BASIC', 'SILVER') AND lp_line BETWEEN 10 AND 20 AND lp_channel = 'APP')
	OR (family = 'STUDY' AND tier = 'GOLD' AND lp_line BETWEEN 20 AND 30 AND lp_channel IN ('WEB', 'APP'))

-- name: loans-officers-to-promote
SELECT e_name, e_role
FROM employee, branch
WHERE e_id IN (
	SELECT ln_officer_id FROM loan
	WHERE ln_product_id IN (SELECT product_id FROM product WHERE product_name LIKE 'forest%')
		AND ln_principal > (
			SELECT 0.5 * sum(lp_paid) FROM loan_payment
			WHERE lp_loan_id = ln_id AND lp_booked_date >= DATE '2023-01-01'
				AND lp_booked_date < DATE '2023-01-01' + INTERVAL '1' YEAR))
	AND e_branch_id = b_id AND b_region = 'WEST'
ORDER BY e_name

-- name: loans-officers-who-waited
SELECT e_name, count(*) AS numwait
FROM employee, loan_payment l1, loan, branch
WHERE e_id = ln_officer_id AND ln_id = l1.lp_loan_id AND ln_status = 'F' AND l1.lp_paid_date > l1.lp_due_date
	AND EXISTS (
		SELECT * FROM loan_payment l2 WHERE l2.lp_loan_id = l1.lp_loan_id AND l2.lp_line <> l1.lp_line)
	AND NOT EXISTS (
		SELECT * FROM loan_payment l3
		WHERE l3.lp_loan_id = l1.lp_loan_id AND l3.lp_line <> l1.lp_line AND l3.lp_paid_date > l3.lp_due_date)
	AND e_branch_id = b_id AND b_region = 'SOUTH'
GROUP BY e_name
ORDER BY numwait DESC, e_name
LIMIT 100

-- name: loans-sleeping-customers
SELECT prefix, count(*) AS customers, sum(credit) AS total
FROM (
	SELECT substr(c_email, 1, 2) AS prefix, credit_limit AS credit
	FROM customer JOIN account ON customer_id = c_id
	WHERE substr(c_email, 1, 2) IN ('aa', 'ab', 'ba', 'ce')
		AND credit_limit > (
			SELECT avg(credit_limit) FROM account WHERE credit_limit > 0.00 AND substr(currency, 1, 1) IN ('C', 'E'))
		AND NOT EXISTS (SELECT * FROM loan WHERE ln_customer_id = c_id)
) AS asleep
GROUP BY prefix
ORDER BY prefix

-- name: loans-arrears-buckets
SELECT ln_branch_id,
	sum(CASE WHEN date_diff('day', lp_due_date, lp_paid_date) <= 30 THEN 1 ELSE 0 END) AS days_30,
	sum(CASE WHEN date_diff('day', lp_due_date, lp_paid_date) > 30
		AND date_diff('day', lp_due_date, lp_paid_date) <= 60 THEN 1 ELSE 0 END) AS days_60,
	sum(CASE WHEN date_diff('day', lp_due_date, lp_paid_date) > 60 THEN 1 ELSE 0 END) AS days_more,
	max(date_diff('day', lp_due_date, lp_paid_date)) AS worst
FROM loan_payment JOIN loan ON ln_id = lp_loan_id
GROUP BY ln_branch_id
ORDER BY 4 DESC, 1

-- name: loans-vintage-default-rate
WITH vintages AS (
	SELECT d_year AS vintage, d_quarter AS vintage_quarter, ln_id, ln_principal, ln_status
	FROM loan JOIN date_dim ON d_key = ln_start_key),
defaults AS (
	SELECT vintage, vintage_quarter, count(*) AS loans, count_if(ln_status = 'DEFAULT') AS defaulted,
		sum(ln_principal) FILTER (WHERE ln_status = 'DEFAULT') AS lost
	FROM vintages GROUP BY vintage, vintage_quarter)
SELECT vintage, vintage_quarter, loans, defaulted, lost,
	CAST(defaulted AS double) / loans AS rate,
	lag(defaulted) OVER (ORDER BY vintage, vintage_quarter) AS before
FROM defaults
WHERE loans > 100
ORDER BY vintage, vintage_quarter

-- name: loans-rank-within-branch
SELECT b_name, ln_id, ln_principal, position_in_branch
FROM (
	SELECT b_name, ln_id, ln_principal, rank() OVER (PARTITION BY b_id ORDER BY ln_principal DESC) AS position_in_branch
	FROM loan JOIN branch ON b_id = ln_branch_id
	WHERE ln_status IN ('ACTIVE', 'LATE')
) AS ranked
WHERE position_in_branch <= 3
ORDER BY b_name, position_in_branch
