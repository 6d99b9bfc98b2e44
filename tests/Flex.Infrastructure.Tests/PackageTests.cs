using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Flex.Local.Packaging;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>What gets into the package, and what keeps it from being deployed.</summary>
public sealed class PackageTests : IDisposable
{
    /// <summary>Compiled ahead of time, as everything in the shared framework.</summary>
    private static readonly string Native = typeof(JsonDocument).Assembly.Location;

    private static readonly string OnlyIntermediate = typeof(PackageTests).Assembly.Location;

    private readonly string _folder = Directory.CreateTempSubdirectory("flex-package").FullName;

    private string Zip => Path.Combine(_folder, "flex.zip");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_published_app_is_packed_without_what_it_does_not_need()
    {
        string app = Publish(
            "Flex.Functions.pdb",
            "Stripe.net.dll",
            "Stripe.net.pdb",
            "Stripe.net.xml",
            "Flex.Functions.exe",
            "runtimes/linux-x64/native/libe_sqlite3.so",
            "runtimes/unix/lib/net8.0/Some.dll",
            "runtimes/win-x64/native/e_sqlite3.dll",
            ".azurefunctions/runtimes/osx-arm64/native/libgrpc.dylib",
            ".azurefunctions/Microsoft.Azure.WebJobs.Extensions.DurableTask.dll");

        int files = DeploymentPackage.Write(app, Zip);

        Assert.Empty(DeploymentPackage.Faults(Zip));
        string[] entries = Entries();
        Assert.Equal(files, entries.Length);
        Assert.Equal(
            [
                ".azurefunctions/Microsoft.Azure.WebJobs.Extensions.DurableTask.dll", ".azurefunctions/function.deps.json",
                "Flex.Functions", "Flex.Functions.deps.json", "Flex.Functions.dll", "Flex.Functions.pdb", "Flex.Functions.runtimeconfig.json",
                "Stripe.net.dll", "extensions.json", "functions.metadata", "host.json",
                "runtimes/linux-x64/native/libe_sqlite3.so", "runtimes/unix/lib/net8.0/Some.dll", "worker.config.json",
            ],
            entries);
    }

    [Fact]
    public void Equal_files_make_equal_bytes()
    {
        string app = Publish();
        DeploymentPackage.Write(app, Zip);
        byte[] first = File.ReadAllBytes(Zip);
        foreach (string file in Directory.EnumerateFiles(app, "*", SearchOption.AllDirectories))
        {
            File.SetLastWriteTimeUtc(file, new DateTime(2020, 2, 2, 2, 2, 2, DateTimeKind.Utc));
        }

        DeploymentPackage.Write(app, Zip);

        Assert.Equal(first, File.ReadAllBytes(Zip));
    }

    [Fact]
    public void Only_the_program_may_be_started()
    {
        DeploymentPackage.Write(Publish(), Zip);

        using ZipArchive zip = ZipFile.OpenRead(Zip);
        Assert.All(zip.Entries, e => Assert.Equal(e.FullName == "Flex.Functions" ? "100755" : "100644", Convert.ToString((e.ExternalAttributes >> 16) & 0xFFFF, 8)));
    }

    [Theory]
    [InlineData("host.json")]
    [InlineData("functions.metadata")]
    [InlineData("worker.config.json")]
    [InlineData("extensions.json")]
    [InlineData(".azurefunctions/function.deps.json", ".azurefunctions/")]
    [InlineData("Flex.Functions.dll")]
    [InlineData("Flex.Functions.deps.json")]
    [InlineData("Flex.Functions.runtimeconfig.json")]
    public void What_the_host_needs_must_be_there(string file, string? named = null)
    {
        string app = Publish();
        File.Delete(Path.Combine(app, file));

        DeploymentPackage.Write(app, Zip);

        Assert.Equal([$"{named ?? file} is missing."], DeploymentPackage.Faults(Zip));
    }

    [Theory]
    [InlineData("local.settings.json", "settings and keys")]
    [InlineData("local.settings.sample.json", "settings and keys")]
    [InlineData("sub/Local.Settings.json", "settings and keys")]
    [InlineData("appsettings.Development.json", "settings and keys")]
    [InlineData("secrets.json", "settings and keys")]
    [InlineData(".env", "settings and keys")]
    [InlineData(".env.production", "settings and keys")]
    [InlineData("certificate.pfx", "settings and keys")]
    [InlineData("key.pem", "settings and keys")]
    [InlineData("id_rsa", "settings and keys")]
    [InlineData("flex.publishsettings", "settings and keys")]
    [InlineData("NuGet.config", "settings and keys")]
    [InlineData("Flex.Local.Model.dll", "the build for one machine")]
    [InlineData("packages.Local.lock.json", "the build for one machine")]
    [InlineData("obj/project.assets.json", "the build for one machine")]
    [InlineData("Flex.Functions.csproj", "the build for one machine")]
    public void What_must_not_leave_the_build_machine_is_refused_not_left_out(string file, string reason)
    {
        DeploymentPackage.Write(Publish(file), Zip);

        string fault = Assert.Single(DeploymentPackage.Faults(Zip));
        Assert.StartsWith($"{file}: ", fault, StringComparison.Ordinal);
        Assert.Contains(reason, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("runtimes/win-x64/native/e_sqlite3.dll", "another platform")]
    [InlineData("runtimes/linux-arm64/native/libe_sqlite3.so", "another platform")]
    [InlineData("Flex.Functions.exe", "another platform")]
    [InlineData("Stripe.net.pdb", "symbols")]
    [InlineData("Stripe.net.xml", "documentation")]
    [InlineData("../outside.json", "leads out")]
    [InlineData("/etc/passwd", "leads out")]
    [InlineData(@"sub\host.json", "leads out")]
    public void A_zip_from_elsewhere_with_more_in_it_is_refused(string file, string reason)
    {
        DeploymentPackage.Write(Publish(), Zip);
        using (ZipArchive zip = ZipFile.Open(Zip, ZipArchiveMode.Update))
        {
            zip.CreateEntry(file);
        }

        Assert.Contains(reason, Assert.Single(DeploymentPackage.Faults(Zip)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_there_twice_is_refused()
    {
        DeploymentPackage.Write(Publish(), Zip);
        using (ZipArchive zip = ZipFile.Open(Zip, ZipArchiveMode.Update))
        {
            zip.CreateEntry("Host.json");
        }

        Assert.Equal(["host.json is there twice."], DeploymentPackage.Faults(Zip));
    }

    [Theory]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=flex;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq==")]
    [InlineData("Endpoint=sb://flex.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=")]
    [InlineData("https://flex.blob.core.windows.net/a?sv=2025-01-01&sig=aGVsbG8gd29ybGQgaGVsbG8%3D")]
    [InlineData("sk_live_51Example")]
    [InlineData("whsec_example")]
    [InlineData("-----BEGIN PRIVATE KEY-----")]
    public void A_key_in_a_text_file_is_refused(string key)
    {
        string app = Publish();
        File.WriteAllText(Path.Combine(app, "extensions.json"), $$"""{"a":"{{key}}"}""");

        DeploymentPackage.Write(app, Zip);

        Assert.Equal(["extensions.json: holds what looks like a key."], DeploymentPackage.Faults(Zip));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_app_without_native_code_is_refused(bool isAssembly)
    {
        string app = Publish();
        File.WriteAllBytes(Path.Combine(app, "Flex.Functions.dll"), isAssembly ? File.ReadAllBytes(OnlyIntermediate) : [1, 2, 3]);

        DeploymentPackage.Write(app, Zip);

        Assert.StartsWith("Flex.Functions.dll: has no native code", Assert.Single(DeploymentPackage.Faults(Zip)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_build_for_one_machine_is_published_with_native_code_and_lacks_only_what_the_real_packages_bring()
    {
        string app = Path.Combine(_folder, "published");
        await PublishAsync(app);

        DeploymentPackage.Write(app, Zip);

        Assert.Equal(
            [
                "functions.metadata is missing.", "worker.config.json is missing.", "extensions.json is missing.", ".azurefunctions/ is missing.",
                "Flex.Functions.runtimeconfig.json is missing.", "Flex.Local.Model.dll: belongs to the build for one machine.",
            ],
            DeploymentPackage.Faults(Zip));
        Assert.Equal(SourceTree.Read("host.json"), await File.ReadAllTextAsync(Path.Combine(app, "host.json"), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(true, "-p:FlexRuntime=Azure", "-p:FlexTaskScheduler=true")]
    [InlineData(false, "-p:FlexRuntime=Azure")]
    [InlineData(false, "-p:FlexTaskScheduler=true")]
    public async Task Only_the_package_asks_for_the_scheduler(bool expected, params string[] options)
    {
        string references = await DotnetAsync(["msbuild", "functions/Flex.Functions.csproj", "-getItem:PackageReference", .. options]);

        Assert.Contains("\"Stripe.net\"", references, StringComparison.Ordinal);
        Assert.Equal(expected, references.Contains("DurableTask.AzureManaged", StringComparison.Ordinal));
    }

    /// <summary>The very build that ./flex azure packs, but for the runtime. No process stays behind.</summary>
    private static Task<string> PublishAsync(string folder) => DotnetAsync(
        ["publish", "functions/Flex.Functions.csproj", "-c", "Release", "-p:FlexPackage=true", "-p:UseSharedCompilation=false", "-nodeReuse:false", "-v", "quiet", "--nologo", "-o", folder]);

    private static async Task<string> DotnetAsync(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = SourceTree.Root, RedirectStandardOutput = true };
        using Process dotnet = Process.Start(start)!;
        string output = await dotnet.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await dotnet.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(dotnet.ExitCode == 0, output);
        return output;
    }

    /// <summary>A folder like the one that is published against the real packages, with further files.</summary>
    private string Publish(params string[] more)
    {
        string app = Path.Combine(_folder, "app");
        string[] files = ["Flex.Functions", "Flex.Functions.deps.json", "Flex.Functions.runtimeconfig.json", "host.json", "functions.metadata", "worker.config.json", "extensions.json", ".azurefunctions/function.deps.json"];
        foreach (string file in files.Concat(more))
        {
            string path = Path.Combine(app, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "{}");
        }

        File.Copy(Native, Path.Combine(app, "Flex.Functions.dll"));
        return app;
    }

    private string[] Entries()
    {
        using ZipArchive zip = ZipFile.OpenRead(Zip);
        return [.. zip.Entries.Select(e => e.FullName)];
    }
}
