using Flex.Benchmarks;
using Xunit;

namespace Flex.Local.Tests.Benchmarks;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(0.5, 5)]
    [InlineData(0.99, 10)]
    [InlineData(0.01, 1)]
    [InlineData(0.1, 1)]
    [InlineData(0.11, 2)]
    [InlineData(1, 10)]
    public void A_percentile_is_the_smallest_value_that_enough_of_them_do_not_exceed(double share, double expected) =>
        Assert.Equal(expected, Statistics.Percentile([9, 1, 10, 3, 2, 4, 8, 6, 7, 5], share));

    [Fact]
    public void The_median_of_one_value_is_that_value() => Assert.Equal(7, Statistics.Median([7]));

    [Fact]
    public void Nothing_has_no_median() => Assert.Equal(double.NaN, Statistics.Median([]));

    [Theory]
    [InlineData(0)]
    [InlineData(1.1)]
    public void A_share_is_above_none_and_at_most_all(double share) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Statistics.Percentile([1], share));

    [Theory]
    [InlineData(2, 10, 20, 100, 1)]
    [InlineData(2, 10, 200, 100, 10)]
    [InlineData(4, 10, 20, 100, 0.5)]
    public void Growth_compares_the_cost_of_one(double smaller, int few, double larger, int many, double expected) =>
        Assert.Equal(expected, Statistics.Growth(smaller, few, larger, many), 9);
}
