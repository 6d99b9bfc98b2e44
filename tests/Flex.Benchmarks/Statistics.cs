namespace Flex.Benchmarks;

/// <summary>The few numbers a series of measurements is told by.</summary>
internal static class Statistics
{
    /// <summary>The smallest value that at least this share of the values does not exceed (nearest rank); NaN without values.</summary>
    /// <param name="share">Above 0 and at most 1: 0.5 is the median, 0.99 what one in a hundred exceeds.</param>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
    }

    public static double Median(IEnumerable<double> values) => Percentile(values, 0.5);

    /// <summary>How much more one thing costs in the larger run than in the smaller one: 1 is linear growth of the whole.</summary>
    public static double Growth(double smallerTotal, int smallerCount, double largerTotal, int largerCount) =>
        largerTotal / largerCount / (smallerTotal / smallerCount);
}
