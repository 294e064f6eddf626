/**
 * The scene of the article that this project grew from, played on two real Docker hosts: containers
 * A and C on host 1, B and D on host 2; A and B in vlan001, C and D in vlan002. It uses the plugin
 * by the commands that a user types and nothing else.
 */
@NullMarked
package io.flannelvlan.tests.demo;

import org.jspecify.annotations.NullMarked;
