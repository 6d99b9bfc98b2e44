using Flex.Local.Runtime.Functions;
using Xunit;

namespace Flex.Local.Tests.Hosting;

public sealed class FunctionCatalogueTests
{
    [Theory]
    [InlineData("Same: the name is used by Flex.Local.Tests.Hosting.OneOfTwo.A and Flex.Local.Tests.Hosting.OtherOfTwo.B")]
    [InlineData("Keyed (Flex.Local.Tests.Hosting.OtherOfTwo.D): function keys do not exist")]
    [InlineData("Untriggered (Flex.Local.Tests.Hosting.OtherOfTwo.E): it has 0 triggers")]
    [InlineData("has an unknown constraint 'nonsense'")]
    [InlineData("Hidden (Flex.Local.Tests.Hosting.OtherOfTwo.G): class and method must be public")]
    [InlineData("Nested (Flex.Local.Tests.Hosting.OtherOfTwo+Inner.H): the class is nested")]
    [InlineData("both serve GET 'one/{}'")]
    [InlineData("Unsettled (Flex.Local.Tests.Hosting.OtherOfTwo.Q): a queue function takes a ServiceBusReceivedMessage and")]
    [InlineData("Texts (Flex.Local.Tests.Hosting.OtherOfTwo.R): a queue function takes a ServiceBusReceivedMessage and")]
    public void Functions_the_real_host_could_not_serve_are_refused_with_every_reason(string reason)
    {
        FunctionDiscoveryException refused = Assert.Throws<FunctionDiscoveryException>(
            () => FunctionCatalogue.Of(typeof(OneOfTwo), typeof(OtherOfTwo), typeof(OtherOfTwo.Inner)));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_functions_of_flex_can_all_be_served_and_the_catalogue_is_made_once()
    {
        FunctionCatalogue catalogue = FunctionCatalogue.Of(typeof(FlexApp).Assembly);

        Assert.NotEmpty(catalogue.All);
        Assert.Same(catalogue, FunctionCatalogue.Of(typeof(FlexApp).Assembly));
    }

    [Fact]
    public void A_definition_looks_as_the_worker_makes_it()
    {
        FunctionDescriptor function = FunctionCatalogue.Of(typeof(SampleFunctions)).Find("start")!;

        Assert.Equal("Start", function.Definition.Name);
        Assert.Equal("Flex.Local.Tests.Hosting.SampleFunctions.Start", function.Definition.EntryPoint);
        Assert.True(File.Exists(function.Definition.PathToAssembly));
        Assert.Equal("httpTrigger", function.Definition.InputBindings["request"].Type);
        Assert.Equal("durableClient", function.Definition.InputBindings["client"].Type);
        Assert.Equal(["request", "id", "client"], function.Definition.Parameters.Select(p => p.Name));
    }
}
